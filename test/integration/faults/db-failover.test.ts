/** The database failover against real servers. The slower cases stand in test/e2e/faults-db-failover.test.ts. */
import { describe, expect, test } from 'vitest';
import { failoverScene, isAsBefore, isSwitched, revertsClean } from '../../support/fault-failover.ts';
import { binaries } from '../../support/postgres-cluster.ts';

const missing = binaries.embedded === undefined;
if (missing) console.warn('skipped: no embedded PostgreSQL binaries are installed');

describe.skipIf(missing)('db-failover', { timeout: 90_000 }, () => {
  test('kills the primary, promotes the standby, and clones the old primary into a standby', async () => {
    await using scene = await failoverScene({ mode: 'crash' }, { sync: true });
    const { cluster, run } = scene;
    await cluster.sql('db-a', 'INSERT INTO t VALUES (1)');

    await run.prepare();
    await run.inject();
    const effect = await run.verify();
    const check = await revertsClean(run, cluster);

    expect(effect.effective).toBe(true);
    expect(effect.measures?.promotedWithin).toBeGreaterThan(50);
    expect(check.measures?.redundancyRestoredWithin).toBeGreaterThan(50);
    expect(await cluster.sql('db-b', 'SHOW synchronous_standby_names')).toEqual([{ synchronous_standby_names: 'FIRST 1 ("db-a")' }]);
    expect(await cluster.sql('db-a', 'SHOW synchronous_standby_names')).toEqual([{ synchronous_standby_names: '' }]);
    expect(await cluster.sql('db-a', 'SHOW cluster_name')).toEqual([{ cluster_name: 'db-a' }]);
    expect(await cluster.sql('db-a', 'SELECT slot_name FROM pg_replication_slots')).toEqual([]);
    expect(await cluster.sql('db-a', 'SELECT i FROM t')).toEqual([{ i: 1 }]);
    expect(JSON.stringify([run.undo, run.events, run.step])).not.toContain('replication-password":');
    expect(JSON.stringify([run.undo, run.events, run.step])).not.toContain("a'b");
    await isSwitched(cluster);
  });

  test('switches over as planned without rewinding or copying anything', async () => {
    await using scene = await failoverScene({ mode: 'planned' });
    const { cluster, run } = scene;

    await run.prepare();
    await run.inject();
    const effect = await run.verify();
    const check = await revertsClean(run, cluster);

    expect(effect).toMatchObject({ effective: true });
    expect(check.findings).toEqual([]);
    expect(run.ran()).not.toContain('copy-from-db-b');
    expect(await cluster.sql('db-a', 'SELECT slot_name FROM pg_replication_slots')).toEqual([]);
    await isSwitched(cluster);
  });

  test('brings the old primary back as it was when it is stopped before the promotion', async () => {
    await using scene = await failoverScene({ mode: 'crash', promoteAfter: '1m' }, { sync: true });
    const { cluster, run } = scene;
    await run.prepare();
    setTimeout(() => run.stop.abort(new Error('stopped')), 1_500);

    await expect(run.inject()).rejects.toThrow('stopped');
    const down = cluster.pid('db-a');
    const fenced = cluster.exists('db-a', 'standby.signal');
    await revertsClean(run, cluster);
    await revertsClean(run, cluster);

    expect({ down, fenced }).toEqual({ down: undefined, fenced: true });
    expect(run.ran()).not.toContain('promote-db-b');
    await isAsBefore(cluster);
  });

  test('goes back when the standby is dead, and says that it was not the run that killed it', async () => {
    await using scene = await failoverScene({ mode: 'crash' });
    const { cluster, run } = scene;
    await run.prepare();
    cluster.kill('db-b');

    await expect(run.inject()).rejects.toThrow('no standby can be promoted');
    const check = await revertsClean(run, cluster);

    expect(check.findings).toEqual(['db-b is down; this was not done by the run']);
    expect(await cluster.sql('db-a', 'SELECT pg_is_in_recovery() AS r')).toEqual([{ r: false }]);
  });
});
