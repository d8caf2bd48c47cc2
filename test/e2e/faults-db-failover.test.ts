/** The database failover's hard cases against real servers: dead runners, dead standbys, two primaries, stalls, rewinds. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { failoverScene, isAsBefore, isSwitched, revertsClean, type Scene } from '../support/fault-failover.ts';
import { type FaultRun, RunnerDied, runId } from '../support/fault-run.ts';
import { binaries, type PostgresCluster, until } from '../support/postgres-cluster.ts';

const { embedded, system } = binaries;
if (embedded === undefined) console.warn('skipped: no embedded PostgreSQL binaries are installed');
if (system === undefined) console.warn('skipped: no system PostgreSQL with pg_rewind is installed');

// Nothing in here measures time: two side by side save minutes.
describe.skipIf(embedded === undefined)('a runner that dies', { concurrent: true }, () => {
  test.each(['checkpoint-db-a', 'stop-db-a', 'primary-down', 'fence-db-a', 'promoting', 'promote-db-b'])(
    'while switching over at %s leaves a cluster that goes back',
    async (at) => {
      await using scene = await failoverScene({ mode: 'planned' });
      await diesDuringInject(scene.run, at);

      await using next = scene.run.successor();
      await revertsClean(next, scene.cluster);

      await isAsBefore(scene.cluster);
    },
  );

  test.each(['stall-db-b', 'crash-db-a', 'primary-down', 'cut-db-b', 'fence-db-a', 'promoting', 'promote-db-b'])(
    'in a stalled crash at %s leaves a cluster that goes back',
    async (at) => {
      await using scene = await failoverScene({ mode: 'crash', stall: '300ms' }, { sync: true });
      await diesDuringInject(scene.run, at);

      await using next = scene.run.successor();
      await revertsClean(next, scene.cluster);

      await isAsBefore(scene.cluster);
    },
  );

  const forward = [
    'promoted',
    'rejoining',
    'keep-fenced-db-a',
    'new-checkpoint-db-b',
    'save-config-db-a',
    'clear-clone-db-a',
    'backup-start-db-b',
  ];
  const cloning = ['copy-from-db-b', 'backup-stop-db-b', 'finish-clone-db-a', 'swap-db-a', 'follow-db-b-db-a', 'open-db-a', 'start-db-a'];
  test.each([...forward, ...cloning, 'rejoined', 'sync-names-db-b', 'reload-db-b', 'clean-up-db-a'])(
    'after the promotion at %s leaves a cluster that goes forward',
    async (at) => {
      await using scene = await failoverScene({ mode: 'crash' }, { sync: true });
      const { run, cluster } = scene;
      await run.prepare();
      run.dieAt = at;
      await expect(run.inject().then(() => run.revert(run.stop.signal))).rejects.toThrow(RunnerDied);

      await using next = run.successor();
      await revertsClean(next, cluster);
      await revertsClean(next, cluster);

      await isSwitched(cluster);
      expect(await cluster.sql('db-b', 'SHOW synchronous_standby_names')).toEqual([{ synchronous_standby_names: 'FIRST 1 ("db-a")' }]);
    },
  );

  test('while the promotion is under way is succeeded by one that waits for its end and goes forward', async () => {
    await using scene = await failoverScene({ mode: 'crash' });
    const { run, cluster } = scene;
    await diesDuringInject(run, 'promote-db-b');
    const promotion = sleep(1_500).then(() => cluster.sql('db-b', 'SELECT pg_promote(true, 30)'));

    await using next = run.successor();
    await revertsClean(next, cluster);
    await promotion;

    await isSwitched(cluster);
  });
});

describe.skipIf(embedded === undefined)('a crash', () => {
  test('after a stall loses writes that an asynchronous primary had acknowledged', async () => {
    await using scene = await failoverScene({ mode: 'crash', stall: '800ms' });

    const { acknowledged, survived } = await writeDuringInject(scene);
    await revertsClean(scene.run, scene.cluster);

    expect(survived).toBeLessThan(acknowledged);
    await isSwitched(scene.cluster);
  });

  test('after a stall loses nothing that a synchronous primary had acknowledged', async () => {
    await using scene = await failoverScene({ mode: 'crash', stall: '800ms' }, { sync: true });

    const { acknowledged, survived } = await writeDuringInject(scene);
    await revertsClean(scene.run, scene.cluster);

    expect(survived).toBeGreaterThanOrEqual(acknowledged);
    await isSwitched(scene.cluster);
  });

  test('that a supervisor undoes at once is carried through: the primary stays down', async () => {
    await using scene = await failoverScene({ mode: 'crash' });
    const { run, cluster } = scene;
    await run.prepare();
    // It gives up after one restart, as a unit with a start limit does.
    const supervisor = (async () => {
      await until(async () => cluster.pid('db-a') === undefined);
      restart(cluster, 'db-a');
    })();

    await run.inject();
    const effect = await run.verify();
    await supervisor.catch(() => undefined);
    await revertsClean(run, cluster);

    expect(effect.effective).toBe(true);
    await isSwitched(cluster);
  });

  test.skipIf(process.platform !== 'linux')('leaves no shared memory of the killed server behind', async () => {
    await using scene = await failoverScene({ mode: 'crash' }, { settings: 'dynamic_shared_memory_type = posix' });
    const { run, cluster } = scene;
    await run.prepare();
    await run.inject();
    const [segment = '', ...files] = readFileSync(join(cluster.hosts[0]?.home ?? '', `chaos-${runId}/memory`), 'utf8')
      .trim()
      .split('\n');
    const id = segment.trim().split(/\s+/)[1] ?? '';
    const segments = (): string[] =>
      cluster
        .shell('ipcs -m')
        .split('\n')
        .flatMap((line) => line.split(/\s+/)[1] ?? []);
    const before = { segment: segments().includes(id), files: files.map((file) => existsSync(file)) };

    await revertsClean(run, cluster);

    expect(before).toEqual({ segment: true, files: [true] });
    expect(segments()).not.toContain(id);
    expect(files.map((file) => existsSync(file))).toEqual([false]);
  });

  test('is followed by the promotion that something else performs', async () => {
    await using scene = await failoverScene({ mode: 'crash', promotion: 'observe' });
    const { run, cluster } = scene;
    await run.prepare();
    const tool = sleep(1_500).then(() => cluster.sql('db-b', 'SELECT pg_promote()'));

    await run.inject();
    const effect = await run.verify();
    await tool;
    await revertsClean(run, cluster);

    expect(effect).toMatchObject({ effective: true });
    expect(effect.measures?.promotedWithin).toBeGreaterThan(500);
    await isSwitched(cluster);
  });

  test('that nothing reacts to goes back', async () => {
    await using scene = await failoverScene({ mode: 'crash', promotion: 'observe', promoteTimeout: '2s' });
    await scene.run.prepare();

    await expect(scene.run.inject()).rejects.toThrow('db-b: not writable within 2 s');
    await revertsClean(scene.run, scene.cluster);

    await isAsBefore(scene.cluster);
  });

  test('of a primary with two standbys promotes one and lets the other follow it', async () => {
    await using scene = await failoverScene({ mode: 'crash' }, { standbys: 2 });
    const { run, cluster } = scene;
    await run.prepare();
    await run.inject();
    const source = String(run.marks.get('promoted')?.candidate);

    await revertsClean(run, cluster);
    await revertsClean(run, cluster);

    await until(async () => (await cluster.sql(source, `SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'`)).length === 2);
    expect(await cluster.sql(source, 'SELECT bool_and(active) AS active, count(*)::int AS n FROM pg_replication_slots')).toEqual([
      { active: true, n: 2 },
    ]);
  });
});

describe.skipIf(embedded === undefined)('a revert', () => {
  test('of a fault that was prepared only changes nothing', async () => {
    await using scene = await failoverScene({ mode: 'crash' });
    const pid = scene.cluster.pid('db-a');
    await scene.run.prepare();

    await revertsClean(scene.run, scene.cluster);

    expect(scene.cluster.pid('db-a')).toBe(pid);
    await isAsBefore(scene.cluster);
  });

  test('with two writable nodes stops the old one, goes forward and says so', async () => {
    await using scene = await failoverScene({ mode: 'crash' });
    const { run, cluster } = scene;
    await run.prepare();
    await run.inject();
    rmSync(join(cluster.node('db-a').dataDir, 'standby.signal'));
    restart(cluster, 'db-a');
    await cluster.sql('db-a', 'INSERT INTO t VALUES (666)');

    const check = await revertsClean(run, cluster);

    expect(check.findings.join()).toContain('db-a was writable beside the promoted node');
    expect(await cluster.sql('db-a', 'SELECT i FROM t WHERE i = 666')).toEqual([]);
    await isSwitched(cluster);
  });

  test('does not start the old primary while a standby that may be the new one is down', async () => {
    await using scene = await failoverScene({ mode: 'crash' });
    const { run, cluster } = scene;
    await run.prepare();
    await run.inject();
    cluster.kill('db-b');

    await expect(run.revert()).rejects.toThrow('it may have been promoted, so the old primary must not be started: db-b is down');
    const old = cluster.pid('db-a');
    restart(cluster, 'db-b');
    await revertsClean(run, cluster);

    expect(old).toBeUndefined();
    await isSwitched(cluster);
  });

  test('goes back when a planned stop finds no standby that has everything', async () => {
    await using scene = await failoverScene({ mode: 'planned' });
    await scene.run.prepare();
    scene.cluster.kill('db-b');

    await expect(scene.run.inject()).rejects.toThrow('no standby has received its last record');
    const check = await revertsClean(scene.run, scene.cluster);

    expect(check.findings).toEqual(['db-b is down; this was not done by the run']);
    expect(scene.run.ran()).not.toContain('promote-db-b');
  });
});

describe.skipIf(system === undefined)('with the tools of a full installation', () => {
  test('the old primary is rewound and keeps its own configuration', async () => {
    await using scene = await failoverScene({ mode: 'crash', stall: '300ms' }, { bin: system ?? '' });
    const { run, cluster } = scene;
    const { acknowledged, survived } = await writeDuringInject(scene);

    await revertsClean(run, cluster);
    await revertsClean(run, cluster);

    expect(survived).toBeLessThan(acknowledged);
    expect(run.undo.rejoin).toBe('rewind');
    expect(run.ran()).toContain('rewind-from-db-b-db-a');
    expect(run.ran()).not.toContain('copy-from-db-b');
    expect(await cluster.sql('db-a', 'SHOW cluster_name')).toEqual([{ cluster_name: 'db-a' }]);
    await isSwitched(cluster);
  });

  test('it is cloned when rewinding fails', async () => {
    await using scene = await failoverScene({ mode: 'crash' }, { bin: system ?? '' });
    const { run, cluster } = scene;
    await run.prepare();
    await run.inject();
    await cluster.sql('db-b', 'REVOKE EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text,boolean,boolean) FROM replicator');

    await revertsClean(run, cluster);

    expect(run.ran()).toContain('copy-from-db-b');
    await isSwitched(cluster);
  });

  test.each(['rewinding', 'rewind-from-db-b-db-a', 'data-ready'])('a runner that dies at %s is succeeded', async (at) => {
    await using scene = await failoverScene({ mode: 'crash' }, { bin: system ?? '' });
    const { run, cluster } = scene;
    await run.prepare();
    run.dieAt = at;
    await expect(run.inject().then(() => run.revert(run.stop.signal))).rejects.toThrow(RunnerDied);

    await using next = run.successor();
    await revertsClean(next, cluster);

    await isSwitched(cluster);
  });
});

/** As an operator would who does not know of the run. */
function restart(cluster: PostgresCluster, host: string): void {
  const { dataDir, start } = cluster.node(host);
  cluster.shell(`rm -f ${dataDir}/postmaster.pid; ${start}`);
}

async function diesDuringInject(run: FaultRun, at: string): Promise<void> {
  await run.prepare();
  run.dieAt = at;
  await expect(run.inject()).rejects.toThrow(RunnerDied);
}

/** One row after the other while the fault is injected: how many were acknowledged, how many of them the new primary has. */
async function writeDuringInject({ run, cluster }: Scene): Promise<{ readonly acknowledged: number; readonly survived: number }> {
  await run.prepare();
  let injecting = true;
  let acknowledged = 0;
  const writer = (async () => {
    while (injecting) {
      await cluster.sql('db-a', `INSERT INTO t VALUES (${acknowledged + 1})`);
      acknowledged++;
    }
  })().catch(() => undefined);
  await sleep(200);
  await run.inject();
  injecting = false;
  await writer;
  const [row] = await cluster.sql('db-b', 'SELECT count(*)::int AS n FROM t');
  return { acknowledged, survived: Number(row?.n) };
}
