import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JournalEvent } from '../../src/journal/events.ts';
import type { LabInfo } from '../../src/lab/lab.ts';
import { LabDatabase, type Node, otherNode } from '../support/e2e-database.ts';
import { experiment, failoverStep, quickEnvironment } from '../support/e2e-experiments.ts';
import { journalOf, marksOf, rolesOf, TempProject } from '../support/e2e-project.ts';

const experiments = {
  crash: [failoverStep('mode: crash'), 'wait: 2s'],
  planned: [failoverStep('mode: planned'), 'wait: 2s'],
  observe: [failoverStep('mode: crash, promotion: observe'), 'wait: 2s'],
  stall: [failoverStep('mode: crash, stall: 1s'), 'wait: 2s'],
};

function project(): TempProject {
  const place = new TempProject();
  for (const [name, steps] of Object.entries(experiments)) place.write(`experiments/${name}.yaml`, experiment({ name, steps }));
  // Without its standby the shop cannot come back, so there is no use in waiting for it.
  const recovery = '{ within: 3s, hold: 2s }';
  const steps = [failoverStep('mode: crash, promoteAfter: 5s'), 'wait: 2s'];
  place.write('experiments/lonely.yaml', experiment({ name: 'lonely', steps, recovery }));
  return place;
}

const verdictOf = (events: readonly JournalEvent[]) => events.findLast((event) => event.type === 'verdict.reached');
const ledgerOf = (events: readonly JournalEvent[]) => events.flatMap((event) => (event.type === 'ledger.settled' ? [event.result] : []))[0];
const lastJournal = (place: TempProject, name: string): JournalEvent[] =>
  journalOf(join(place.reports, place.runFolders().findLast((folder) => folder.includes(`-${name}-`)) ?? name));

async function primaryOf(place: TempProject): Promise<Node> {
  return rolesOf(await place.labStatus())['db-a'] === 'primary' ? 'db-a' : 'db-b';
}

async function expectSwapped(place: TempProject, database: LabDatabase, before: Node): Promise<void> {
  const status = await place.labStatus();
  expect(rolesOf(status)).toEqual({ [otherNode(before)]: 'primary', [before]: 'standby' });
  expect(status.healthy).toBe(true);
  expect(await database.standbys(otherNode(before))).toEqual(['streaming']);
}

describe('with a synchronous standby', () => {
  let place: TempProject;
  let lab: LabInfo;
  let database: LabDatabase;
  let environment: string;
  beforeAll(async () => {
    place = project();
    lab = await place.labUp();
    database = new LabDatabase(lab);
    environment = quickEnvironment(lab);
  });
  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  });

  test('a crash fails over, a second run on the same lab fails back, and each ends with one primary and a streaming standby', async () => {
    for (const [before, ...where] of [['db-a'], ['db-b', '--env', environment]] as const) {
      const run = await place.chaos(['run', 'crash', ...where]);

      expect(run.exitCode, run.stderr).toBe(0);
      const events = lastJournal(place, 'crash');
      expect(marksOf(events)).toEqual(expect.arrayContaining(['primary-down', 'promoting', 'promoted']));
      expect(ledgerOf(events)).toMatchObject({ lost: 0 });
      expect(verdictOf(events)).toMatchObject({ outcome: 'completed', verdict: 'held', rollback: 'clean' });
      await expectSwapped(place, database, before);
    }
  });

  test('a planned switchover holds and loses nothing', async () => {
    const before = await primaryOf(place);

    const run = await place.chaos(['run', 'planned', '--env', environment]);

    expect(run.exitCode, run.stderr).toBe(0);
    expect(ledgerOf(lastJournal(place, 'planned'))).toMatchObject({ lost: 0 });
    await expectSwapped(place, database, before);
  });

  test('a stalled replication loses nothing: the writes were never acknowledged', async () => {
    const before = await primaryOf(place);

    const run = await place.chaos(['run', 'stall', '--env', environment]);

    expect(run.exitCode, run.stderr).toBe(0);
    expect(ledgerOf(lastJournal(place, 'stall'))).toMatchObject({ lost: 0 });
    await expectSwapped(place, database, before);
  });

  test('somebody else promotes: the runner waits for it, measures it, and restores redundancy', async () => {
    const before = await primaryOf(place);
    await using run = place.start(['run', 'observe', '--env', environment]);
    await run.waitForEvent('fault.injecting');

    const manager = promoteWhenDead(database, before);
    const { exitCode, stderr } = await run.done;

    expect(exitCode, stderr).toBe(0);
    expect(await manager).toBe('promoted');
    // The statement was never sent by the runner itself.
    expect(run.events.filter((event) => event.type === 'operation.running' && event.text.includes('pg_promote'))).toEqual([]);
    await expectSwapped(place, database, before);
  });

  test('nobody promotes: the run is undone with the old primary as it was, and is no proof of anything', async () => {
    const before = await primaryOf(place);
    place.write(
      'experiments/alone.yaml',
      experiment({ name: 'alone', steps: [failoverStep('mode: crash, promotion: observe, promoteTimeout: 3s')] }),
    );

    const run = await place.chaos(['run', 'alone', '--env', environment]);

    expect(run.exitCode, run.stderr).toBe(5);
    expect(verdictOf(lastJournal(place, 'alone'))).toMatchObject({ verdict: 'not-tested', rollback: 'clean' });
    expect(rolesOf(await place.labStatus())).toEqual({ [before]: 'primary', [otherNode(before)]: 'standby' });
    expect(await database.writable(before)).toBe(true);
  });

  test('the standby dies before the promotion: stopped before the point of no return, the old primary is back', async () => {
    const before = await primaryOf(place);
    const standby = otherNode(before);
    await using run = place.start(['run', 'lonely', '--env', environment]);
    await run.waitForEvent('fault.marked', (event) => event.mark === 'primary-down');

    process.kill(database.postmaster(standby), 'SIGKILL');
    const { exitCode, stderr } = await run.done;

    expect(exitCode, stderr).toBe(5);
    expect(marksOf(run.events)).not.toContain('promoting');
    expect(verdictOf(run.events)).toMatchObject({ outcome: 'aborted', rollback: 'clean' });
    expect(run.events.find((event) => event.type === 'fault.reverted')).toMatchObject({
      clean: true,
      findings: [expect.stringContaining(standby)],
    });
    expect(rolesOf(await place.labStatus())).toEqual({ [before]: 'primary', [standby]: 'down' });
    expect((await place.ssh(standby, database.command(standby, 'start'))).exitCode).toBe(0);
    await expect.poll(() => database.standbys(before), { timeout: 10_000 }).toEqual(['streaming']);
    expect(await database.writable(before)).toBe(true);
  });
});

describe('with an asynchronous standby', () => {
  test('a stalled replication loses acknowledged writes, and the run says so: refuted, exit code 5', async () => {
    await using place = project();
    const lab = await place.labUp('--replication', 'async');

    const run = await place.chaos(['run', 'stall', '--env', quickEnvironment(lab)]);

    expect(run.exitCode, run.stderr).toBe(5);
    const events = lastJournal(place, 'stall');
    expect(ledgerOf(events)?.lost).toBeGreaterThan(0);
    const verdict = verdictOf(events);
    expect(verdict).toMatchObject({ outcome: 'completed', verdict: 'refuted', rollback: 'clean' });
    expect(verdict?.clauses).toContainEqual(expect.objectContaining({ name: expect.stringContaining('lostWrites'), result: 'refuted' }));
    await expectSwapped(place, new LabDatabase(lab), 'db-a');
  });
});

describe('with the PostgreSQL of the system', () => {
  test('the old primary is rewound and not copied', async (context) => {
    const root = '/usr/lib/postgresql';
    const versions = existsSync(root) ? readdirSync(root) : [];
    context.skip(!versions.some((version) => existsSync(join(root, version, 'bin', 'pg_rewind'))), `no pg_rewind below ${root}`);
    await using place = project();
    const lab = await place.labUp('--postgres', 'system');

    const run = await place.chaos(['run', 'crash', '--env', quickEnvironment(lab)]);

    expect(run.exitCode, run.stderr).toBe(0);
    const sent = lastJournal(place, 'crash').flatMap((event) => (event.type === 'operation.running' ? [event.operation] : []));
    expect(sent).toContain('rewind-from-db-b-db-a');
    expect(sent).not.toContain('copy-from-db-b');
    await expectSwapped(place, new LabDatabase(lab), 'db-a');
  });
});

/** The smallest high-availability manager there can be: three failed looks at the primary, then its standby is promoted. */
async function promoteWhenDead(database: LabDatabase, primary: Node): Promise<'promoted'> {
  for (let failed = 0; failed < 3; ) {
    failed = (await database.query(primary, 'SELECT 1').catch(() => undefined)) === undefined ? failed + 1 : 0;
    await sleep(200);
  }
  await database.query(otherNode(primary), 'SELECT pg_promote(true, 30)');
  return 'promoted';
}
