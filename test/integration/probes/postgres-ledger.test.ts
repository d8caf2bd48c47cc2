import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresqlConnector } from '../../../src/drivers/sql/postgresql.ts';
import type { DatabaseCluster } from '../../../src/plan/plan.ts';
import type { LedgerResult } from '../../../src/probes/contract.ts';
import { postgresLedgerProbe } from '../../../src/probes/postgres-ledger/index.ts';
import { clusterOf, link, PgCluster, type PgNode, postgresMissing, signalProcess, until } from '../../support/probe-postgres.ts';
import { type ProbeRun, runProbe, sleep, tally } from '../../support/probe-run.ts';

if (postgresMissing !== undefined) console.warn(`skipped: ${postgresMissing}`);

const signal = AbortSignal.timeout(60_000);
/** Runner and servers share a busy machine with the other tests: gaps are compared with a bound that one pause of all of them passes. */
const machineStallMs = 1_500;
let runs = 0;

function ledger(database: DatabaseCluster, spec: Record<string, unknown> = {}): ProbeRun {
  const given = { database: 'orders', rate: '100/s', timeout: '500ms', ...spec };
  return runProbe(postgresLedgerProbe, given, { sql: postgresqlConnector, databases: [database], runId: `run${runs++}` });
}

async function settled(run: ProbeRun): Promise<LedgerResult> {
  if (run.probe.settle === undefined) throw new Error('a ledger has a settle');
  return run.probe.settle(signal);
}

/** The sums that hold whatever happened. */
function expectWhole(result: LedgerResult, run: ProbeRun): void {
  const { writes, durable, lost, indeterminate, rejected } = result;
  expect(writes).toBe(run.samples.length);
  expect(durable + lost + indeterminate + rejected).toBe(writes);
  expect(durable + lost).toBe(run.samples.filter(({ ok }) => ok).length);
  expect(new Set(run.samples.map(({ seq }) => seq)).size).toBe(writes);
}

describe.skipIf(postgresMissing !== undefined)('postgres-ledger on one server', () => {
  let cluster: PgCluster;
  let primary: PgNode;

  beforeAll(async () => {
    ({ cluster, primary } = await PgCluster.create());
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  it('finds every write again and leaves no row and no session behind', async () => {
    await using run = ledger(clusterOf([primary]));
    await run.until(50);

    const result = await settled(run);

    expectWhole(result, run);
    expect(result).toMatchObject({ probe: 'orders', survivor: 'db-a', lost: 0, indeterminate: 0, rejected: 0 });
    expect(result.longestGap.ms).toBeLessThan(machineStallMs);
    expect(run.samples.every(({ node }) => node === 'db-a')).toBe(true);
    expect(await primary.sql('SELECT count(*)::int AS rows FROM chaos.drill')).toEqual([{ rows: 0 }]);
    await until(async () => (await primary.sql(`SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'chaos-%'`)).length === 0);
  });

  it('removes what killed runs left more than a day ago, and nothing younger', async () => {
    await primary.sql(
      `INSERT INTO chaos.drill (run, seq, ts) VALUES ('old', 1, now() - interval '25 hours'), ('young', 1, now() - interval '23 hours')`,
    );
    await using run = ledger(clusterOf([primary]));
    await run.until(10);
    await settled(run);

    expect(await primary.sql('SELECT run FROM chaos.drill')).toEqual([{ run: 'young' }]);
    await primary.sql('DELETE FROM chaos.drill');
  });

  it('connects again after its sessions were ended, and knows which writes failed', async () => {
    await using run = ledger(clusterOf([primary]));
    await run.until(20);
    await primary.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'chaos-%'`);
    const before = run.samples.length;
    await run.until(before + 40);

    const result = await settled(run);

    expectWhole(result, run);
    expect(result.lost).toBe(0);
    expect(run.samples.slice(-20).every(({ ok }) => ok)).toBe(true);
    expect(result.longestGap.ms).toBeLessThan(machineStallMs);
  });

  it('makes the table again when it is gone', async () => {
    await using run = ledger(clusterOf([primary]));
    await run.until(20);
    await primary.sql('DROP SCHEMA chaos CASCADE');
    const before = run.samples.length;
    await run.until(before + 60);

    const result = await settled(run);

    expectWhole(result, run);
    expect(result.lost).toBeGreaterThan(0);
    expect(result.lostWindow?.to).toBeLessThan(run.samples[before]?.due ?? 0);
    expect(run.samples.slice(-20).every(({ ok }) => ok)).toBe(true);
  });

  it('times out behind a lock, leaves no write hanging in the server, and calls none of them lost', async () => {
    await using run = ledger(clusterOf([primary]), { timeout: '200ms', connections: 2, rate: '50/s' });
    await run.until(20);
    const locked = primary.sql('BEGIN; LOCK TABLE chaos.drill IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1); COMMIT');
    await sleep(700);
    const waiting = await primary.sql(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'chaos-%' AND wait_event_type = 'Lock'`,
    );
    await locked;
    await run.until(run.samples.length + 20);

    const result = await settled(run);

    expectWhole(result, run);
    expect(waiting[0]?.n).toBeLessThanOrEqual(2);
    expect(tally(run.samples).timeout).toBeGreaterThan(10);
    expect(result).toMatchObject({ lost: 0 });
    expect(result.longestGap.ms).toBeGreaterThan(700);
    expect(run.samples.at(-1)?.ok).toBe(true);
  });

  it('leaves no heap of hanging sessions while commits wait for a standby that is not there, and calls them indeterminate', async () => {
    await using run = ledger(clusterOf([primary]), { timeout: '200ms', connections: 2 });
    await run.until(20);
    await primary.sql(`ALTER SYSTEM SET synchronous_standby_names = 'ghost'`);
    await primary.sql('SELECT pg_reload_conf()');
    await sleep(900);
    const sessions = await primary.sql(`SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'chaos-%'`);
    await primary.sql('ALTER SYSTEM RESET synchronous_standby_names');
    await primary.sql('SELECT pg_reload_conf()');
    await until(async () => run.samples.at(-1)?.ok === true);

    const result = await settled(run);

    expectWhole(result, run);
    // A write that hangs and, until it is ended, the one given up before it.
    expect(sessions[0]?.n).toBeLessThanOrEqual(4);
    expect(result.indeterminate).toBeGreaterThan(4);
    expect(result.lost).toBe(0);
  });

  it('says which error it is when the server lets nobody in', async () => {
    await using run = ledger({ ...clusterOf([primary]), database: 'nowhere' });
    await run.until(20);
    await run.probe.stop();

    expect(tally(run.samples)).toEqual({ 'sql 3D000': run.samples.length });
    await expect(run.probe.settle?.(AbortSignal.timeout(300))).rejects.toMatchObject({ code: 'CHAOS_PROBE' });
  });

  it('does not write to a server that was set to read-only', async () => {
    await using run = ledger(clusterOf([primary]));
    await run.until(20);
    await primary.sql('ALTER SYSTEM SET default_transaction_read_only = on');
    await primary.sql('SELECT pg_reload_conf()');
    await until(async () => run.samples.at(-1)?.error === 'no writable node');
    await primary.sql('ALTER SYSTEM RESET default_transaction_read_only');
    await primary.sql('SELECT pg_reload_conf()');
    await until(async () => run.samples.at(-1)?.ok === true);

    const result = await settled(run);

    expectWhole(result, run);
    expect(result.lost).toBe(0);
  });
});

describe.skipIf(postgresMissing !== undefined)('postgres-ledger on a primary and a standby', () => {
  it('counts as lost what was acknowledged and never got to the standby, and finds the new primary', async () => {
    const { cluster, primary } = await PgCluster.create();
    await using _cluster = cluster;
    const standby = await cluster.standby('db-b', primary);
    await using run = ledger(clusterOf([primary, standby]));
    await run.until(40);
    const [receiver] = await standby.sql('SELECT pid FROM pg_stat_wal_receiver');
    signalProcess(Number(receiver?.pid), 'SIGSTOP');
    const stalledAt = run.now();
    await sleep(500);

    await primary.signal('SIGKILL');
    const downAt = run.now();
    signalProcess(Number(receiver?.pid), 'SIGKILL');
    await until(async () => (await standby.sql('SELECT pg_promote(true, 10) AS done'))[0]?.done === true);
    const before = run.samples.length;
    await until(async () => run.samples.slice(before).filter(({ ok }) => ok).length > 30);

    const result = await settled(run);

    expectWhole(result, run);
    expect(result.survivor).toBe('db-b');
    expect(result.lost).toBeGreaterThan(20);
    expect(result.lostWindow?.from).toBeGreaterThan(stalledAt - machineStallMs);
    expect(result.lostWindow?.to).toBeLessThan(downAt + 50);
    expect(Math.abs(result.longestGap.from - downAt)).toBeLessThan(machineStallMs);
    expect(tally(run.samples)['no writable node']).toBeGreaterThan(10);
    expect(run.samples.at(-1)?.node).toBe('db-b');
  });

  it('gives up a link that swallows everything, loses nothing that was replicated, and names both nodes when both take writes', async () => {
    const { cluster, primary } = await PgCluster.create(`synchronous_standby_names = 'FIRST 1 ("db-b")'`);
    await using _cluster = cluster;
    const standby = await cluster.standby('db-b', primary);
    await using cable = await link(primary.port);
    await using run = ledger(clusterOf([{ name: 'db-a', port: cable.port }, standby]));
    await run.until(40);

    cable.swallow();
    const cutAt = run.now();
    await standby.sql(`ALTER SYSTEM SET synchronous_standby_names = ''`);
    await standby.sql('SELECT pg_reload_conf()');
    await standby.sql('SELECT pg_promote(true, 10)');
    const before = run.samples.length;
    await until(async () => run.samples.slice(before).filter(({ ok, node }) => ok && node === 'db-b').length > 30);

    const result = await settled(run);

    expectWhole(result, run);
    expect(result).toMatchObject({ survivor: 'db-b', lost: 0 });
    expect(result.longestGap.ms).toBeLessThan(2_000 + machineStallMs);
    expect(Math.abs(result.longestGap.from - cutAt)).toBeLessThan(machineStallMs);
    expect(run.samples.at(-1)).toMatchObject({ ok: true, node: 'db-b' });

    // Nobody fenced the old primary: with the link back, both take writes.
    await primary.sql(`ALTER SYSTEM SET synchronous_standby_names = ''`);
    await primary.sql('SELECT pg_reload_conf()');
    await using divided = ledger(clusterOf([primary, standby]));
    await divided.until(5);
    await expect(settled(divided)).rejects.toMatchObject({ code: 'CHAOS_PROBE', message: 'ledger orders: db-a and db-b both take writes' });
  });
});
