import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LabInfo } from '../../src/lab/lab.ts';
import { LabDatabase } from '../support/e2e-database.ts';
import { environmentLike, experiment, failoverStep, killStep } from '../support/e2e-experiments.ts';
import { journalOf, rolesOf, TempProject } from '../support/e2e-project.ts';

let place: TempProject;
let lab: LabInfo;
let database: LabDatabase;
beforeAll(async () => {
  place = new TempProject();
  place.write('experiments/failover.yaml', experiment({ name: 'failover', steps: [failoverStep('mode: crash')] }));
  place.write('experiments/close.yaml', experiment({ name: 'close', steps: [failoverStep('mode: crash, maxLag: 1kB')] }));
  place.write('experiments/kill.yaml', experiment({ name: 'kill', steps: [killStep] }));
  place.write('experiments/patient.yaml', experiment({ name: 'patient', steps: [killStep, 'wait: 30s'] }));
  lab = await place.labUp();
  database = new LabDatabase(lab);
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

let reports: string;
let count = 0;
const fresh = (): string => {
  count += 1;
  reports = join(place.dir, `reports-${count}`);
  return reports;
};

/** The primary is the same process as before and still writable; nothing was injected in any run of this test. */
async function expectUntouched(primaryPid: number): Promise<void> {
  for (const name of place.runFolders(reports)) {
    const types = journalOf(join(reports, name)).map((event) => event.type);
    expect(types).not.toContain('fault.injecting');
    expect(types).toContain('run.finished');
  }
  expect(database.postmaster('db-a')).toBe(primaryPid);
  expect(await database.writable('db-a')).toBe(true);
}

describe('a standby that could not take over', () => {
  const undo: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
    await expect.poll(() => database.standbys('db-a'), { timeout: 15_000 }).toEqual(['streaming']);
  });

  test('stopped: refused with exit code 3 and the reason, the primary is untouched', async () => {
    const before = database.postmaster('db-a');
    expect((await place.ssh('db-b', database.command('db-b', 'stop'))).exitCode).toBe(0);
    undo.push(() => place.ssh('db-b', database.command('db-b', 'start')));

    const run = await place.chaos(['run', 'failover', '--reports', fresh()]);

    expect(run.exitCode, run.stderr).toBe(3);
    expect(run.stderr).toContain('db-b');
    // With a synchronous standby gone, nothing commits until it is back.
    expect((await place.ssh('db-b', database.command('db-b', 'start'))).exitCode).toBe(0);
    undo.pop();
    await expectUntouched(before);
  });

  test('replay paused: refused with the statement that resumes it', async () => {
    const before = database.postmaster('db-a');
    await database.query('db-b', 'SELECT pg_wal_replay_pause()');
    undo.push(() => database.query('db-b', 'SELECT pg_wal_replay_resume()'));

    const run = await place.chaos(['run', 'failover', '--reports', fresh()]);

    expect(run.exitCode, run.stderr).toBe(3);
    expect(run.stderr).toContain('replay is paused');
    await database.query('db-b', 'SELECT pg_wal_replay_resume()');
    await expectUntouched(before);
  });

  test('too far behind: refused with the number of bytes', async () => {
    const before = database.postmaster('db-a');
    const [receiver] = await database.query('db-b', 'SELECT pid FROM pg_stat_wal_receiver');
    const pid = Number(receiver?.pid);
    process.kill(pid, 'SIGSTOP');
    undo.push(async () => process.kill(pid, 'SIGCONT'));
    await database.query('db-a', "SET synchronous_commit = local; SELECT pg_logical_emit_message(true, 'e2e', repeat('x', 200000))");

    const run = await place.chaos(['run', 'close', '--reports', fresh()]);

    process.kill(pid, 'SIGCONT');
    expect(run.exitCode, run.stderr).toBe(3);
    expect(run.stderr).toMatch(/db-b.*\d{6,} bytes behind, at most 1024 \(1kB\)/);
    await expectUntouched(before);
  });

  test('streaming again: the same plan is allowed', async () => {
    const plan = await place.chaos(['plan', 'failover']);

    expect(plan.exitCode, plan.stderr).toBe(0);
    expect(rolesOf(await place.labStatus())).toEqual({ 'db-a': 'primary', 'db-b': 'standby' });
  });
});

describe('a place for reports that cannot take one', () => {
  test('below a regular file: exit code 3, nothing injected', async () => {
    const before = database.postmaster('db-a');
    const file = join(place.dir, 'a-file');
    writeFileSync(file, '');
    reports = join(file, 'reports');

    const run = await place.chaos(['run', 'failover', '--reports', reports]);

    expect(run.exitCode, run.stderr).toBe(3);
    expect(run.stderr).toContain(reports);
    expect(run.stderr).not.toMatch(/\n\s+at /);
    await expectUntouched(before);
  });

  test('on a full disk: exit code 3, nothing injected', async (context) => {
    const before = database.postmaster('db-a');
    using disk = smallDisk('1m');
    context.skip(disk === undefined, 'mounting a file system of its own needs root');

    const run = await place.chaos(['run', 'failover', '--reports', join(disk?.dir ?? '', 'reports')]);

    expect(run.exitCode, run.stderr).toBe(3);
    expect(run.stderr).not.toMatch(/\n\s+at /);
    expect(database.postmaster('db-a')).toBe(before);
  });

  test('on a disk that fills up while the fault is in effect: stopped, undone, exit code 5, and told what became of it', async (context) => {
    using disk = smallDisk('100m');
    context.skip(disk === undefined, 'mounting a file system of its own needs root');
    const dir = disk?.dir ?? '';
    await using run = place.start(['run', 'patient', '--reports', join(dir, 'reports')]);
    await run.waitForEvent('step.waiting');

    expect(() => writeFileSync(join(dir, 'filler'), Buffer.alloc(200 * 1_024 * 1_024))).toThrow('ENOSPC');
    const { exitCode, stderr } = await run.done;

    expect(exitCode, stderr).toBe(5);
    expect(stderr).toContain('the report cannot be written');
    expect(stderr).toMatch(/rollback +clean/);
  });
});

/** A file system in memory of its own, gone with the test; `undefined` where it may not be mounted. */
function smallDisk(size: string): ({ readonly dir: string } & Disposable) | undefined {
  const dir = join(place.dir, `disk-${size}`);
  mkdirSync(dir);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', dir], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  return { dir, [Symbol.dispose]: () => void execFileSync('umount', ['-l', dir]) };
}

describe('a shop that is not steady to begin with', () => {
  test.each([
    ['answers with an error', (text: string) => text.replace('/checkout"', '/no-such-page"')],
    ['cannot be reached at all', (text: string) => text.replace(/127\.0\.0\.1:\d+\/checkout"/, '127.0.0.1:1/checkout"')],
  ])('%s: exit code 4, nothing injected, never held', async (what, change) => {
    const environment = environmentLike(lab, what.replaceAll(' ', '-'), change);

    const run = await place.chaos(['run', 'kill', '--env', environment, '--reports', fresh()]);

    expect(run.exitCode, run.stderr).toBe(4);
    const events = journalOf(join(reports, place.runFolders(reports)[0] ?? ''));
    expect(events.map((event) => event.type)).not.toContain('fault.injecting');
    expect(events.find((event) => event.type === 'baseline.failed')).toMatchObject({ detail: expect.stringContaining('checkout-errors') });
    expect(events.find((event) => event.type === 'verdict.reached')).toMatchObject({ verdict: 'not-tested', rollback: 'clean' });
  });

  test('hangs: exit code 4, nothing injected', async () => {
    const pids = await Promise.all(
      ['checkout-1', 'checkout-2'].map(async (host) => Number((await place.ssh(host, 'cat run/checkout.pid')).stdout)),
    );
    for (const pid of pids) process.kill(pid, 'SIGSTOP');

    const run = await place.chaos(['run', 'kill', '--reports', fresh()]).finally(() => {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    });

    expect(run.exitCode, run.stderr).toBe(4);
    expect(journalOf(join(reports, place.runFolders(reports)[0] ?? '')).map((event) => event.type)).not.toContain('fault.injecting');
  });
});
