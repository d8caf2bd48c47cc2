/**
 * The write ledger: numbered rows at a fixed rate, each acknowledgement noted, and afterwards every row looked for on the survivor.
 * Downtime without the count of lost writes says nothing. It knows of no fault; PostgreSQL is reached through its context alone.
 */
import { ChaosError } from '../../core/errors.ts';
import type { LedgerResult, ProbeContext, ProbeDefinition, RunningProbe, Sample } from '../contract.ts';
import { longestSample, timing } from '../fields.ts';
import { startSchedule } from '../schedule.ts';
import { WriteBook } from './book.ts';
import { LedgerSpec } from './schema.ts';
import { settle } from './settle.ts';
import { Writers } from './writers.ts';

/** For connecting to a node and for each question to it; shorter than the write's own timeout where that is shorter. */
const mostAnswerMs = 1_000;
/** PostgreSQL cuts application names at 63 bytes; what is left after `chaos-<id>/` and `/read`. */
const mostNameLength = 45;

export const postgresLedgerProbe: ProbeDefinition<LedgerSpec> = {
  kind: 'postgres-ledger',
  summary: 'Writes numbered rows at a fixed rate and afterwards looks for every one of them on the survivor.',
  spec: LedgerSpec,
  gives: ['latency'],
  database: (spec) => spec.database,
  ledger: true,
  changes: ({ database, rate }) => [
    `creates schema chaos and table chaos.drill in ${database} where they are missing; both stay`,
    `inserts ${rate} rows and deletes them when they have been read back; deletes rows of other runs that are older than a day`,
    'ends its own sessions on the server that hang',
  ],
  longestSampleMs: longestSample,
  start,
};

/** Throws `CHAOS_PROBE` when the plan has no such cluster. */
function start(spec: LedgerSpec, context: ProbeContext): RunningProbe {
  const { clock, origin, name } = context;
  const { rate, timeoutMs } = timing(spec);
  const cluster = context.databases.find((candidate) => candidate.name === spec.database);
  if (cluster === undefined)
    throw new ChaosError('CHAOS_PROBE', `ledger ${name}: the plan has no database ${spec.database}`, { target: name });
  const now = (): number => clock.monotonic() - origin;
  const shared = {
    access: { sql: context.sql, clock, cluster, answerMs: Math.min(timeoutMs, mostAnswerMs) },
    run: `${context.runId}/${name}`,
    sessionPrefix: `chaos-${context.runId}/${name.replaceAll(/[^!-~]/g, '_').slice(0, mostNameLength)}/`,
    now,
  };
  const book = new WriteBook();
  const writers = new Writers({ ...shared, connections: spec.connections });
  const emit = (sample: Sample, seq: number): void => {
    book.add(seq, sample);
    context.emit({ ...sample, seq });
  };
  const schedule = startSchedule({ clock, origin, rate, timeoutMs, attempt: (slot) => writers.write(slot), emit });
  const stop = async (): Promise<void> => {
    await schedule.stop();
    await writers.close();
  };
  return {
    stop,
    async settle(signal): Promise<LedgerResult> {
      await stop();
      return settle({ ...shared, probe: name, book, timeoutMs }, signal);
    },
  };
}
