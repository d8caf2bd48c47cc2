import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { LabInfo } from '../../src/lab/lab.ts';
import type { RunningChaos } from '../support/cli.ts';
import { LabDatabase, type Node, otherNode } from '../support/e2e-database.ts';
import { experiment, failoverStep, killStep, quickEnvironment } from '../support/e2e-experiments.ts';
import { journalOf, marksOf, rolesOf, TempProject } from '../support/e2e-project.ts';

const slow = experiment({ name: 'slow', steps: [failoverStep('mode: crash, promoteAfter: 10s'), 'wait: 2s'] });
const patient = experiment({ name: 'patient', steps: [failoverStep('mode: crash'), 'wait: 30s'] });

/** One primary that can be written to, one standby that streams from it, and nobody else believes to be primary. */
async function expectWhole(place: TempProject, database: LabDatabase, primary: Node): Promise<void> {
  expect(rolesOf(await place.labStatus())).toEqual({ [primary]: 'primary', [otherNode(primary)]: 'standby' });
  expect(await database.writable(primary)).toBe(true);
  await expect.poll(() => database.standbys(primary), { timeout: 5_000 }).toEqual(['streaming']);
}

const started = (run: RunningChaos) => run.waitForEvent('run.started');
const marked = (run: RunningChaos, mark: string) => run.waitForEvent('fault.marked', (event) => event.mark === mark);

describe('in a lab that is up', () => {
  let place: TempProject;
  let lab: LabInfo;
  let database: LabDatabase;
  let environment: string;
  beforeAll(async () => {
    place = new TempProject();
    place.write('experiments/slow.yaml', slow);
    place.write('experiments/patient.yaml', patient);
    lab = await place.labUp();
    database = new LabDatabase(lab);
    environment = quickEnvironment(lab);
  });
  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  });
  /** Whatever a test proved or not: the next one finds a place without unfinished runs. */
  afterEach(async () => {
    await place.chaos(['recover']);
  });

  const start = (experimentName: string): RunningChaos => place.start(['run', experimentName, '--env', environment]);
  const primaryNow = async (): Promise<Node> => (rolesOf(await place.labStatus())['db-a'] === 'primary' ? 'db-a' : 'db-b');
  const folderOf = (id: string): string => join(place.reports, place.runFolders().find((name) => name.endsWith(id)) ?? id);

  /** Recovers from another process, checks the record, and that a second time changes nothing. */
  async function expectRecovered(id: string): Promise<void> {
    const status = await place.chaos(['status']);
    expect(status.stdout).toMatch(new RegExp(`^${id} .*NOT FINISHED.*chaos recover ${id}`, 'm'));

    const recover = await place.chaos(['recover']);

    expect(recover.exitCode, recover.stderr).toBe(7);
    const events = journalOf(folderOf(id));
    expect(events.findLast((event) => event.type === 'verdict.reached')).toMatchObject({
      outcome: 'errored',
      verdict: 'inconclusive',
      rollback: 'clean',
    });
    expect(events.at(-1)).toMatchObject({ type: 'run.finished', exitCode: 7 });
    expect(readFileSync(join(folderOf(id), 'report.md'), 'utf8')).toContain('the runner died');
    const journal = readFileSync(join(folderOf(id), 'journal.jsonl'));
    const [all, one] = [await place.chaos(['recover']), await place.chaos(['recover', id])];
    expect([all.exitCode, one.exitCode]).toEqual([0, 0]);
    expect(one.stderr).toContain('nothing was changed');
    expect(readFileSync(join(folderOf(id), 'journal.jsonl')).equals(journal)).toBe(true);
    expect((await place.chaos(['status'])).stdout).not.toContain('NOT FINISHED');
  }

  test('killed hard during the baseline: the next run is refused until it is recovered, and nothing was touched', async () => {
    const primary = await primaryNow();
    const server = database.postmaster(primary);
    await using run = start('slow');
    const { run: id } = await started(run);
    await run.waitForEvent('phase.entered', (event) => event.phase === 'baseline');

    run.signal('SIGKILL');
    await run.done;
    const next = await place.chaos(['run', 'slow', '--env', environment]);

    expect(next.exitCode, next.stderr).toBe(3);
    expect(next.stderr).toContain('chaos recover');
    await expectRecovered(id);
    expect(database.postmaster(primary)).toBe(server);
    await expectWhole(place, database, primary);
  });

  test('killed hard between the injection and the promotion: recover brings the old primary back as it was', async () => {
    const primary = await primaryNow();
    await using run = start('slow');
    const { run: id } = await started(run);
    await marked(run, 'primary-down');

    run.signal('SIGKILL');
    await run.done;

    expect(await database.writable(primary)).toBe(false);
    const next = await place.chaos(['run', 'slow', '--env', environment]);
    expect(next.exitCode, next.stderr).toBe(3);
    expect(next.stderr).toContain(`chaos recover ${id}`);
    await expectRecovered(id);
    expect(marksOf(journalOf(folderOf(id)))).not.toContain('promoting');
    await expectWhole(place, database, primary);
  });

  test('killed hard right after the promotion: recover goes forward and makes the old primary a standby', async () => {
    const primary = await primaryNow();
    await using run = start('patient');
    const { run: id } = await started(run);
    await marked(run, 'promoted');

    run.signal('SIGKILL');
    await run.done;

    await expectRecovered(id);
    await expectWhole(place, database, otherNode(primary));
  });

  test('killed hard while it asks for the promotion: recover waits for what becomes of it and leaves one primary', async () => {
    await using run = start('patient');
    const { run: id } = await started(run);
    await marked(run, 'promoting');

    run.signal('SIGKILL');
    await run.done;

    await expectRecovered(id);
    await expectWhole(place, database, await primaryNow());
  });

  test('Ctrl-C during the baseline: exit code 130, nothing injected, the report says so', async () => {
    const primary = await primaryNow();
    const server = database.postmaster(primary);
    await using run = start('slow');
    const { run: id } = await started(run);
    await run.waitForEvent('phase.entered', (event) => event.phase === 'baseline');

    run.signal('SIGINT');
    const { exitCode, stderr } = await run.done;

    expect(exitCode, stderr).toBe(130);
    expect(run.events.map((event) => event.type)).not.toContain('fault.injecting');
    expect(existsSync(join(folderOf(id), 'report.md'))).toBe(true);
    expect(database.postmaster(primary)).toBe(server);
  });

  test('Ctrl-C after the promotion: exit code 130, the failover is finished and redundancy restored', async () => {
    const primary = await primaryNow();
    await using run = start('patient');
    await run.waitForEvent('step.waiting');

    run.signal('SIGINT');
    const { exitCode, stderr } = await run.done;

    expect(exitCode, stderr).toBe(130);
    expect(run.events.find((event) => event.type === 'rollback.finished')).toMatchObject({ state: 'clean' });
    await expectWhole(place, database, otherNode(primary));
  });

  test('SIGTERM before the promotion: exit code 143, the old primary is back', async () => {
    const primary = await primaryNow();
    await using run = start('slow');
    await marked(run, 'primary-down');

    run.signal('SIGTERM');
    const { exitCode, stderr } = await run.done;

    expect(exitCode, stderr).toBe(143);
    expect(marksOf(run.events)).not.toContain('promoting');
    await expectWhole(place, database, primary);
  });

  test('Ctrl-C twice: the second only says what would be left behind, the undoing goes on to its end', async () => {
    const primary = await primaryNow();
    await using run = start('slow');
    await marked(run, 'primary-down');

    run.signal('SIGINT');
    await run.waitForEvent('fault.reverting');
    run.signal('SIGINT');
    const { exitCode, stderr } = await run.done;

    expect(exitCode, stderr).toBe(130);
    expect(stderr).toMatch(/would leave behind: db-failover on db-[ab]. Then: chaos recover/);
    expect(run.events.find((event) => event.type === 'rollback.finished')).toMatchObject({ state: 'clean' });
    await expectWhole(place, database, primary);
  });

  test('a runner that is alive is not recovered from under its feet', async () => {
    await using run = start('slow');
    const { run: id } = await started(run);

    const [all, one] = [await place.chaos(['recover']), await place.chaos(['recover', id])];
    run.signal('SIGINT');
    await run.done;

    expect([all.exitCode, one.exitCode], all.stderr + one.stderr).toEqual([0, 3]);
    expect(one.stderr).toContain('is still alive');
  });
});

test('a runner killed hard that had started the lab itself: recover still works, and the lab goes down afterwards', async () => {
  await using place = new TempProject();
  place.write('experiments/slow.yaml', slow);
  await using run = place.start(['run', 'slow']);
  await marked(run, 'primary-down');

  run.signal('SIGKILL');
  await run.done;
  const recover = await place.chaos(['recover']);

  expect(recover.exitCode, recover.stderr).toBe(7);
  expect(rolesOf(await place.labStatus())).toEqual({ 'db-a': 'primary', 'db-b': 'standby' });
  expect((await place.chaos(['lab', 'down'])).exitCode).toBe(0);
  expect(place.labFolders()).toEqual([]);
});

test('the lab taken away under a run: exit code 6, and a plain recover finishes it once that can be proved', async () => {
  await using place = new TempProject();
  place.write('experiments/kill.yaml', experiment({ name: 'kill', steps: [killStep, 'wait: 30s'], recovery: '{ within: 3s, hold: 2s }' }));
  await place.labUp();
  await using run = place.start(['run', 'kill']);
  const { run: id } = await run.waitForEvent('run.started');
  await run.waitForEvent('step.waiting');

  await place.labDown();
  const { exitCode, stderr } = await run.done;
  const status = await place.chaos(['status']);
  const recover = await place.chaos(['recover']);
  const again = await place.chaos(['recover']);

  expect(exitCode, stderr).toBe(6);
  expect(stderr).toContain(`chaos recover ${id}`);
  expect(status.stdout).toContain(`chaos recover ${id}`);
  // It was aborted, and that stands.
  expect(recover.exitCode, recover.stderr).toBe(5);
  expect(recover.stderr).toContain('no longer exists');
  expect(again.stderr).toContain('nothing to recover');
});
