/** `process-kill` on real processes of this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { processKill } from '../../../src/faults/process-kill/index.ts';
import type { FaultStep } from '../../../src/plan/plan.ts';
import { FaultRun, runId } from '../../support/fault-run.ts';

let home: string;
let children: ChildProcess[];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'chaos-test-kill-'));
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
  // A watcher whose folder is gone ends; the next test has a fuse of the same name.
  await expect.poll(() => existsSync(`/dev/shm/chaos-${process.getuid?.()}/${runId}-s1.1`), { timeout: 5_000 }).toBe(false);
});

/** A process with a command line that nothing else on the machine has; its pid in `service.pid`. */
function start(...args: string[]): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', home, ...args], { stdio: 'ignore' });
  children.push(child);
  if (child.pid === undefined) throw new Error('not started');
  writeFileSync(join(home, 'service.pid'), `${child.pid}\n`);
  return child.pid;
}

function restartsAfter(delay: number): void {
  children[0]?.once('exit', () => setTimeout(start, delay));
}

function kill(parameters: JsonObject, expectations: FaultStep['expectations'] = []): FaultRun {
  return new FaultRun(processKill, {
    hosts: [{ id: 'one', home, env: { CHAOS_LAB_HOST: 'test' } }],
    targets: ['one'],
    parameters,
    expectations,
  });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('process-kill', () => {
  test('kills the process of a pid file and measures how soon a new one is there', async () => {
    const old = start();
    restartsAfter(600);
    await using run = kill({ pidFile: 'service.pid', comesBackWithin: '10s' });

    await run.prepare();
    await run.inject();
    const effect = await run.verify();
    await run.revert();
    const check = await run.verifyReverted();

    expect(alive(old)).toBe(false);
    expect(effect.effective).toBe(true);
    expect(effect.measures?.restartedWithin).toBeGreaterThan(500);
    expect(effect.measures?.restartedWithin).toBeLessThan(8_000);
    expect(check.clean).toBe(true);
  });

  test('leaves a target alone on which another run has a fault', async () => {
    start();
    const fuse = join(home, '.chaos/aaaaaa-s1.1');
    mkdirSync(fuse, { recursive: true });
    for (const [name, text] of Object.entries({ fuse: '', state: 'armed\n', where: `${fuse}\n` })) writeFileSync(join(fuse, name), text);
    await using run = kill({ pidFile: 'service.pid' });

    await expect(run.prepare()).rejects.toThrow('one: run aaaaaa has a fault here');
  });

  test('kills all the same on a host that cannot have a fuse', async () => {
    const bin = join(home, 'bin');
    mkdirSync(bin);
    for (const name of readdirSync('/usr/bin')) if (name !== 'setsid') symlinkSync(`/usr/bin/${name}`, join(bin, name));
    start();
    restartsAfter(300);
    const hosts = [{ id: 'one', home, env: { CHAOS_LAB_HOST: 'test', PATH: bin } }];
    await using run = new FaultRun(processKill, { hosts, targets: ['one'], parameters: { pidFile: 'service.pid' } });

    await run.prepare();
    await run.inject();
    const effect = await run.verify();
    await run.revert();
    const check = await run.verifyReverted();

    expect(run.ran()).not.toContain('hold-one');
    expect(effect.effective).toBe(true);
    expect(check.clean).toBe(true);
  });

  test('finds processes by their command line, never its own shell', async () => {
    start('worker');
    start('worker');
    await using run = kill({ match: `${home} worker$`, count: 2, comesBackWithin: '200ms' });

    await run.prepare();
    await run.inject();
    const effect = await run.verify();

    expect(effect.effective).toBe(true);
    await expect.poll(() => children.every(({ signalCode }) => signalCode === 'SIGKILL')).toBe(true);
  });

  test.each([
    [2, 'matches 1 process on one, expected 2'],
    [1, undefined],
  ])('refuses when it finds another number of processes than %d', async (count, message) => {
    start('single');
    await using run = kill({ match: `${home} single$`, count });

    if (message === undefined) await run.prepare();
    else await expect(run.prepare()).rejects.toThrow(message);
  });

  test.each(['service.pid', 'missing.pid'])('refuses when %s names no living process', async (pidFile) => {
    writeFileSync(join(home, 'service.pid'), '999999999\n');
    await using run = kill({ pidFile });

    await expect(run.prepare()).rejects.toMatchObject({ code: 'CHAOS_REFUSED' });
  });

  test('never kills another process that has been given the pid', async () => {
    const pid = start();
    await using run = kill({ pidFile: 'service.pid' });
    await run.prepare();
    run.undo = JSON.parse(JSON.stringify(run.undo).replace(/(\d+)\/[^"]+/, '$1/1')) as JsonObject;

    await expect(run.inject()).rejects.toThrow(`process ${pid} is not the one that was found any more`);
    expect(alive(pid)).toBe(true);
  });

  test('is restarted on rollback when it does not come back, and the rollback may be repeated', async () => {
    start();
    const restart = `${process.execPath} -e 'setInterval(() => {}, 1000)' ${home} again >/dev/null 2>&1 & echo $! >service.pid`;
    await using run = kill({ pidFile: 'service.pid', comesBackWithin: '300ms', restart });

    await run.prepare();
    await run.inject();
    const effect = await run.verify();
    await run.revert();
    await run.revert();
    const check = await run.verifyReverted();
    const again = Number(/one: alive as (\d+)\//.exec(check.evidence[0] ?? '')?.[1]);
    process.kill(again, 'SIGKILL');

    expect(effect.evidence.at(-1)).toContain('has not come back');
    expect(check.clean).toBe(true);
    expect(run.ran().filter((id) => id === 'restart-one')).toEqual(['restart-one']);
  });

  test('is not clean when nothing brings the process back', async () => {
    start();
    await using run = kill({ pidFile: 'service.pid', comesBackWithin: '300ms' });

    await run.prepare();
    await run.inject();
    await run.revert();

    expect(await run.verifyReverted()).toMatchObject({ clean: false, evidence: ['one: 0 of 1 alive'] });
  });

  test('refuses an expectation that is longer than it watches', async () => {
    start();
    const comparison = { operator: '<=', value: 60_000, unit: 'duration', text: '<= 60s' } as const;
    await using run = kill({ pidFile: 'service.pid', comesBackWithin: '10s' }, [
      { measure: 'restartedWithin', unit: 'duration', source: 'fault', comparison },
    ]);

    await expect(run.prepare()).rejects.toThrow('expect restartedWithin <= 60s cannot be checked: it is watched for 10 s only');
  });
});
