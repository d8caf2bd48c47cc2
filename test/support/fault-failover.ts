/** A database failover on a real cluster, and the two states that it may end in. */
import { expect } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { RevertCheck } from '../../src/faults/contract.ts';
import { dbFailover } from '../../src/faults/db-failover/index.ts';
import { FaultRun, runId } from './fault-run.ts';
import { binaries, type ClusterOptions, PostgresCluster, until } from './postgres-cluster.ts';

export interface Scene extends AsyncDisposable {
  readonly cluster: PostgresCluster;
  readonly run: FaultRun;
}

export async function failoverScene(parameters: JsonObject, options: Partial<ClusterOptions> = {}): Promise<Scene> {
  const cluster = await PostgresCluster.start({ bin: binaries.embedded ?? '', ...options });
  await cluster.sql('db-a', 'CREATE TABLE t (i int PRIMARY KEY)');
  const run = new FaultRun(dbFailover, { hosts: cluster.hosts, databases: [cluster.database], targets: ['db-a'], parameters });
  return {
    cluster,
    run,
    [Symbol.asyncDispose]: async () => {
      await run[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

/** Reverts and reads back: clean, and nothing lies around. */
export async function revertsClean(run: FaultRun, cluster: PostgresCluster): Promise<RevertCheck> {
  await run.revert();
  const check = await run.verifyReverted();
  expect(check, JSON.stringify(check)).toMatchObject({ clean: true });
  expect(cluster.leftovers()).toEqual([]);
  expect(cluster.exists('db-a', `postgresql.auto.conf.chaos-${runId}`)).toBe(false);
  return check;
}

/** As it was: db-a is primary on its old timeline, db-b streams from it. */
export async function isAsBefore(cluster: PostgresCluster): Promise<void> {
  const [row] = await cluster.sql('db-a', 'SELECT pg_is_in_recovery() AS r, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) AS t');
  expect(row).toEqual({ r: false, t: '00000001' });
  expect(cluster.exists('db-a', 'standby.signal')).toBe(false);
  await until(async () => (await cluster.sql('db-a', `SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'`)).length >= 1);
}

/** Roles exchanged: db-b is primary, what is written there arrives on db-a. */
export async function isSwitched(cluster: PostgresCluster): Promise<void> {
  expect(await cluster.sql('db-a', 'SELECT pg_is_in_recovery() AS r')).toEqual([{ r: true }]);
  await cluster.sql('db-b', 'INSERT INTO t VALUES (4711)');
  await until(async () => (await cluster.sql('db-a', 'SELECT 1 FROM t WHERE i = 4711')).length === 1);
}
