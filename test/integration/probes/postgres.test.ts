import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresqlConnector } from '../../../src/drivers/sql/postgresql.ts';
import { postgresProbe } from '../../../src/probes/postgres/index.ts';
import { clusterOf, PgCluster, type PgNode, postgresMissing } from '../../support/probe-postgres.ts';
import { type ProbeRun, runProbe, sleep, tally } from '../../support/probe-run.ts';

if (postgresMissing !== undefined) console.warn(`skipped: ${postgresMissing}`);

const fast = { rate: '20/s', timeout: '1s' };

describe.skipIf(postgresMissing !== undefined)('postgres probe', () => {
  let cluster: PgCluster;
  let primary: PgNode;
  let standby: PgNode;
  beforeAll(async () => {
    ({ cluster, primary } = await PgCluster.create());
    await primary.sql('CREATE TABLE orders AS SELECT generate_series(1, 12) AS id');
    standby = await cluster.standby('db-b', primary);
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  const start = (spec: Record<string, unknown>): ProbeRun =>
    runProbe(
      postgresProbe,
      { ...fast, database: 'orders', ...spec },
      { sql: postgresqlConnector, databases: [clusterOf([standby, primary])] },
    );
  const first = async (query: string): Promise<number | string | undefined> => {
    await using run = start({ query });
    await run.until(1);
    return run.samples[0]?.value ?? run.samples[0]?.error;
  };

  it.each([
    ['SELECT count(*) FROM orders', 12],
    ['SELECT 0.25::numeric', 0.25],
    ['SELECT -7', -7],
    ['SELECT count(*) > 5 FROM orders', 1],
    ["SELECT ' 42 '", 42],
    ['SELECT id FROM orders', 'several rows'],
    ['SELECT 1 AS a, 2 AS b', 'several columns'],
    ['SELECT id FROM orders WHERE id > 99', 'empty result'],
    ['SELECT max(id) FROM orders WHERE id > 99', 'empty result'],
    ["SELECT 'NaN'::float8", 'not a number'],
    ["SELECT 'Infinity'::float8", 'not a number'],
    ["SELECT 'many'", 'not a number'],
    ['SELECT now()', 'not a number'],
    ['SELECT nothing', 'sql 42703'],
    ['DELETE FROM orders RETURNING 1', 'sql 25006'],
  ])('reads %s as %j', async (query, expected) => {
    expect(await first(query)).toBe(expected);
  });

  it('asks the node that is no standby, or the one that it is told to', async () => {
    await using anywhere = start({ query: 'SELECT pg_is_in_recovery()' });
    await using there = start({ query: 'SELECT pg_is_in_recovery()', node: 'db-b' });
    const connection = { address: `127.0.0.1:${standby.port}`, database: 'postgres', user: 'postgres' };
    await using direct = start({ query: 'SELECT pg_is_in_recovery()', database: undefined, connection });

    await Promise.all([anywhere.until(2), there.until(2), direct.until(2)]);

    expect([anywhere, there, direct].map((run) => run.samples[1]?.value)).toEqual([0, 1, 1]);
  });

  it('takes up few connections while every query hangs, and leaves none behind', async () => {
    const count = async (): Promise<unknown> =>
      (await primary.sql(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'chaos-%'`))[0]?.n;
    const run = start({ query: 'SELECT pg_sleep(60)', timeout: '300ms', rate: '100/s' });
    await run.until(60);
    const most = await count();
    await run.probe.stop();

    expect(tally(run.samples).timeout).toBeGreaterThan(40);
    expect(tally(run.samples).ok).toBe(undefined);
    // Two, and what the server is just ending.
    expect(most).toBeLessThanOrEqual(4);
    await expect.poll(count, { timeout: 5_000 }).toBe(0);
  });

  it('follows a failover, and says what is wrong until it is over', async () => {
    await using run = start({ query: 'SELECT count(*) FROM orders', timeout: '500ms' });
    await run.until(3);
    const before = tally(run.samples);

    await primary.signal('SIGKILL');
    await sleep(400);
    const during = tally(run.samples);
    await standby.sql('SELECT pg_promote()');
    await expect.poll(() => run.samples.at(-1)?.value, { timeout: 10_000 }).toBe(12);

    expect(before.ok).toBeGreaterThan(2);
    expect(
      Object.keys(during).filter((word) => !['ok', 'ECONNREFUSED', 'reset', 'connection lost', 'sql 57P01', 'sql 57P02'].includes(word)),
    ).toEqual([]);
    expect(Object.keys(during).length).toBeGreaterThan(1);
  });

  it.each([
    [{ database: 'nothing', query: 'SELECT 1' }, 'the plan has no database nothing'],
    [{ node: 'db-x', query: 'SELECT 1' }, 'orders has no node db-x'],
  ])('does not start with %j', (spec, message) => {
    expect(() => start(spec)).toThrow(message);
  });
});

describe('the spec of a postgres probe', () => {
  const connection = { address: 'db-a:5432', database: 'shop', user: 'reader' };

  it.each([
    { query: 'SELECT 1' },
    { query: ' ', database: 'orders' },
    { query: 'SELECT 1', database: 'orders', connection },
    { query: 'SELECT 1', connection, node: 'db-a' },
    { query: 'SELECT 1', connection: { ...connection, address: 'db-a' } },
  ])('is refused as %j', (spec) => {
    expect(postgresProbe.spec.safeParse(spec).success).toBe(false);
  });

  it('has no password written out', () => {
    const secrets = (password: string): unknown =>
      postgresProbe.literalSecrets?.({ ...fast, query: 'SELECT 1', connections: 2, connection: { ...connection, password } });

    expect(secrets('hunter2')).toEqual([['connection', 'password']]);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how references are written
    expect(secrets('${env:DB_PASSWORD}')).toEqual([]);
  });
});
