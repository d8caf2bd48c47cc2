import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../src/core/clock.ts';
import { ChaosError } from '../../../../src/core/errors.ts';
import type { SqlConnector, SqlRow } from '../../../../src/drivers/contract.ts';
import { WriteBook } from '../../../../src/probes/postgres-ledger/book.ts';
import { type SettleOptions, settle } from '../../../../src/probes/postgres-ledger/settle.ts';
import { clusterOf } from '../../../support/probe-postgres.ts';

/** Time that passes only by sleeping, and then at once. */
function quickClock(): Clock {
  let time = 0;
  return {
    wall: () => time,
    monotonic: () => time,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      time += ms;
    },
  };
}

type Answer = (statement: string) => readonly SqlRow[];

/** Nodes by their port; one without an answer refuses connections. */
function scripted(answers: Readonly<Record<number, Answer>>): SqlConnector {
  return {
    connect: async ({ port }) => {
      const answer = answers[port];
      if (answer === undefined) throw new ChaosError('CHAOS_SQL', 'refused');
      return {
        query: async (statement) => answer(statement),
        lost: new Promise(() => undefined),
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
  };
}

const holding =
  (seqs: readonly number[], sessions = 0): Answer =>
  (statement) => {
    if (statement.includes('pg_is_in_recovery')) return [{ writable: true }];
    if (statement.includes('to_regclass')) return [{ there: true }];
    if (statement.includes('pg_terminate_backend')) return Array.from({ length: sessions }, () => ({}));
    if (statement.startsWith('SELECT seq')) return seqs.map((seq) => ({ seq: String(seq) }));
    return [];
  };
const standby: Answer = () => [{ writable: false }];

function options(answers: Readonly<Record<number, Answer>>): SettleOptions {
  const clock = quickClock();
  const book = new WriteBook();
  for (const [seq, ok] of [true, true, false, false].entries()) book.add(seq, { due: seq * 20, end: seq * 20 + 5, ok });
  const cluster = clusterOf([
    { name: 'db-a', port: 1 },
    { name: 'db-b', port: 2 },
  ]);
  const access = { sql: scripted(answers), clock, cluster, answerMs: 1_000 };
  return {
    probe: 'orders',
    access,
    book,
    run: 'r/orders',
    sessionPrefix: 'chaos-r/orders/',
    timeoutMs: 2_000,
    now: () => clock.monotonic(),
  };
}

const never = new AbortController().signal;

describe('settle', () => {
  it('compares what was acknowledged with what the survivor holds', async () => {
    const given = options({ 2: holding([0, 2]) });

    expect(await settle(given, never)).toEqual({
      probe: 'orders',
      survivor: 'db-b',
      writes: 4,
      durable: 1,
      lost: 1,
      indeterminate: 1,
      rejected: 1,
      lostWindow: { from: 20, to: 20 },
      longestGap: { from: 25, ms: 40 },
    });
  });

  it('gives writes that failed the time they may still take', async () => {
    const given = options({ 1: standby, 2: holding([0, 1]) });

    await settle(given, never);

    expect(given.now()).toBeGreaterThanOrEqual(65 + 2_000);
  });

  it('says so when no node takes writes', async () => {
    await expect(settle(options({ 1: standby }), never)).rejects.toMatchObject({
      code: 'CHAOS_PROBE',
      message: 'ledger orders: none of db-a, db-b takes writes',
    });
  });

  it('names both when two nodes take writes', async () => {
    await expect(settle(options({ 1: holding([]), 2: holding([]) }), never)).rejects.toMatchObject({
      code: 'CHAOS_PROBE',
      message: 'ledger orders: db-a and db-b both take writes',
    });
  });

  it('says nothing about writes that are still under way', async () => {
    await expect(settle(options({ 2: holding([0, 1], 1) }), never)).rejects.toMatchObject({
      code: 'CHAOS_PROBE',
      message: 'ledger orders: writes are still under way on db-b, so nothing can be said about them',
    });
  });

  it('says that it could not read when it is stopped', async () => {
    await expect(settle(options({ 2: holding([]) }), AbortSignal.abort(new Error('enough')))).rejects.toMatchObject({
      code: 'CHAOS_PROBE',
    });
  });
});
