/** What a database failover refuses before it has changed anything, on a real cluster; each with the number and the remedy. */
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { dbFailover } from '../../../src/faults/db-failover/index.ts';
import { FaultRun } from '../../support/fault-run.ts';
import { binaries, PostgresCluster, until } from '../../support/postgres-cluster.ts';

const missing = binaries.embedded === undefined;
if (missing) console.warn('skipped: no embedded PostgreSQL binaries are installed');

describe.skipIf(missing)('db-failover refuses', { timeout: 60_000 }, () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await PostgresCluster.start({ bin: binaries.embedded ?? '', settings: 'max_prepared_transactions = 2' });
    await cluster.sql('db-a', 'CREATE TABLE t (i int)');
  }, 60_000);
  afterAll(() => cluster?.[Symbol.asyncDispose]());

  /** The refusal, or `undefined` when it was prepared. */
  async function refusal(parameters: JsonObject = {}, target = 'db-a', database = cluster.database): Promise<string | undefined> {
    await using run = new FaultRun(dbFailover, {
      hosts: cluster.hosts,
      databases: [database],
      targets: [target],
      parameters: { mode: 'crash', ...parameters },
    });
    try {
      await run.prepare();
      return undefined;
    } catch (error) {
      expect(error).toMatchObject({ code: 'CHAOS_REFUSED', hint: expect.stringMatching(/\w/) });
      return (error as Error).message;
    } finally {
      const changing = new Set(run.step.operations.filter(({ changes }) => changes).map(({ id }) => id));
      expect(run.ran().filter((id) => changing.has(id))).toEqual([]);
    }
  }

  test('nothing on a healthy cluster', async () => {
    expect(await refusal()).toBeUndefined();
  });

  test('a target that is not the primary', async () => {
    expect(await refusal({}, 'db-b')).toBe('db-b: the primary is db-a, not db-b');
  });

  test('a rewind where pg_rewind is missing', async () => {
    expect(await refusal({ rejoin: 'rewind' })).toBe('db-a: it cannot be rewound: binDir has no pg_rewind');
  });

  test('a data folder that the server does not use', async () => {
    const [primary, standby] = cluster.database.nodes;
    if (primary === undefined || standby === undefined) throw new Error('two nodes');
    const swapped = { ...cluster.database, nodes: [{ ...primary, dataDir: standby.dataDir }, standby] };

    expect(await refusal({}, 'db-a', swapped)).toContain(`uses ${primary.dataDir}, not ${standby.dataDir}`);
  });

  test('a primary whose data folder would start as a standby', async () => {
    const file = join(cluster.node('db-a').dataDir, 'standby.signal');
    writeFileSync(file, '');

    const said = await refusal();
    rmSync(file);

    expect(said).toContain('standby.signal lies in the data folder of the primary');
  });

  test('open prepared transactions', async () => {
    const client = new pg.Client({ host: '127.0.0.1', port: cluster.node('db-a').port, user: 'postgres', database: 'postgres' });
    await client.connect();
    await client.query('BEGIN; INSERT INTO t VALUES (1)');
    await client.query(`PREPARE TRANSACTION 'left'`);

    const said = await refusal();
    await client.query(`ROLLBACK PREPARED 'left'`);
    await client.end();

    expect(said).toBe('db-a: 1 prepared transaction(s) are open');
  });

  test('a standby whose replay is paused', async () => {
    await cluster.sql('db-b', 'SELECT pg_wal_replay_pause()');
    const said = await refusal();
    await cluster.sql('db-b', 'SELECT pg_wal_replay_resume()');

    expect(said).toBe('db-b: replay is paused');
  });

  test('a standby that is further behind than allowed', async () => {
    await cluster.sql('db-b', `ALTER SYSTEM SET recovery_min_apply_delay = '1h'`);
    await cluster.sql('db-b', 'SELECT pg_reload_conf()');
    for (let n = 0; n < 3; n++) await cluster.sql('db-a', 'INSERT INTO t SELECT generate_series(1, 1000)');

    const strict = await refusal({ maxLag: '1kB' });
    const allowed = await refusal({ maxLag: '16MB' });
    await cluster.sql('db-b', 'ALTER SYSTEM RESET recovery_min_apply_delay');
    await cluster.sql('db-b', 'SELECT pg_reload_conf()');

    expect(strict).toMatch(/^db-b: it is \d{4,} bytes behind, at most 1024 \(1kB\) are allowed$/);
    expect(allowed).toBeUndefined();
  });

  test('a standby that may not be replicated from', async () => {
    const { dataDir } = cluster.node('db-b');
    cluster.shell(`cp -p ${dataDir}/pg_hba.conf hba; sed -i /replication/d ${dataDir}/pg_hba.conf`);

    const said = await refusal();
    cluster.shell(`cp -p hba ${dataDir}/pg_hba.conf`);

    expect(said).toBe('db-b: its pg_hba.conf lets no standby replicate from it');
  });

  test('a standby that does not replicate', async () => {
    const { dataDir } = cluster.node('db-b');
    cluster.shell(`cp -p ${dataDir}/postgresql.auto.conf auto-kept`);
    appendFileSync(join(dataDir, 'postgresql.auto.conf'), `primary_conninfo = ''\n`);
    await cluster.sql('db-b', 'SELECT pg_reload_conf()');
    await until(async () => (await cluster.sql('db-b', 'SELECT 1 FROM pg_stat_wal_receiver')).length === 0);

    const said = await refusal();
    cluster.shell(`cp -p auto-kept ${dataDir}/postgresql.auto.conf`);
    await cluster.sql('db-b', 'SELECT pg_reload_conf()');
    await until(async () => (await cluster.sql('db-b', `SELECT 1 FROM pg_stat_wal_receiver WHERE status = 'streaming'`)).length === 1);

    expect(said).toBe('db-b: no WAL receiver is running: it does not replicate');
  });

  test('a standby that is down', async () => {
    cluster.shell(cluster.node('db-b').stop);

    expect(await refusal()).toContain('db-b: its database server does not answer');
  });
});
