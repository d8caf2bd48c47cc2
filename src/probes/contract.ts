/** What a probe is: a schedule that gives samples. It knows nothing of SLOs, plans or faults. */
import * as z from 'zod';
import type { Clock } from '../core/clock.ts';
import type { SqlConnector } from '../drivers/contract.ts';
import type { DatabaseCluster } from '../plan/plan.ts';

const Ms = z.number();

/**
 * One measurement. All times are milliseconds since the run's start on the monotonic clock. Latency of the target as a user would
 * see it is `end - due`; service time is `end - sent`. A timeout is a sample that is not ok and ends at its timeout.
 */
export const Sample = z.strictObject({
  /** When it was meant to start: slot k at t0 + k/rate; no slot is skipped. */
  due: Ms,
  sent: Ms,
  end: Ms,
  ok: z.boolean(),
  /** Short and stable, so that equal errors can be counted: `timeout`, `status 502`, `ECONNREFUSED`. */
  error: z.string().optional(),
  /** For so long of it, ms, the prober itself stood still or was at its own end: its latency is up to this much too long. Absent: not at all. */
  own: Ms.optional(),
  /** What was read, of probes that read a number; absent where the sample is not ok. */
  value: z.number().optional(),
  /** Ledger probes: the number of the write. */
  seq: z.int().optional(),
  /** Ledger probes: which node answered. */
  node: z.string().optional(),
});
export type Sample = z.infer<typeof Sample>;

/** What became of the writes of a ledger probe, read back from the survivor. */
export const LedgerResult = z.strictObject({
  probe: z.string(),
  /** Node that was read. */
  survivor: z.string(),
  /** Writes tried. `durable + lost + indeterminate + rejected`. */
  writes: z.int(),
  /** Acknowledged and present. */
  durable: z.int(),
  /** Acknowledged and absent. */
  lost: z.int(),
  /** Not acknowledged but present: a blind retry would duplicate it. */
  indeterminate: z.int(),
  /** Not acknowledged and absent. */
  rejected: z.int(),
  /** Intended starts of the first and the last lost write. */
  lostWindow: z.strictObject({ from: Ms, to: Ms }).optional(),
  /** Longest time between two acknowledgements, with when it began; ± 1/rate. */
  longestGap: z.strictObject({ from: Ms, ms: Ms }),
});
export type LedgerResult = z.infer<typeof LedgerResult>;

export interface ProbeContext {
  readonly name: string;
  /** Marks what the probe writes, so that runs do not mix. */
  readonly runId: string;
  readonly clock: Clock;
  /** `clock.monotonic()` at the run's start; sample times count from it. */
  readonly origin: number;
  readonly sql: SqlConnector;
  /** The plan's clusters, secrets resolved. */
  readonly databases: readonly DatabaseCluster[];
  /** Takes a sample as soon as it is complete. Must not throw. */
  emit(sample: Sample): void;
}

export interface RunningProbe {
  /** Stops starting new samples; resolves when those under way are in. Idempotent. */
  stop(): Promise<void>;
  /** Ledger probes, after `stop`: reads the writes back. Rejects with `CHAOS_PROBE` when no survivor can be read. */
  settle?(signal: AbortSignal): Promise<LedgerResult>;
}

export interface ProbeDefinition<Spec = unknown> {
  readonly kind: string;
  readonly summary: string;
  /** The schema of what stands under the kind's key in an environment file; strict, every field described. */
  readonly spec: z.ZodType<Spec>;
  /** What an SLO can measure of its samples, besides the error rate: how long they took, the number that was read. */
  readonly gives: readonly ('latency' | 'value')[];
  /** Fields that name a file; a path in one is relative to the environment file. A text with a reference or a line break is no path. */
  readonly files?: readonly (readonly string[])[];
  /** Where a secret is written out instead of referred to; a file with one is refused. */
  literalSecrets?(spec: Spec): readonly (readonly string[])[];
  /** The database cluster it asks or writes to, by its name in `databases`. */
  database?(spec: Spec): string | undefined;
  /** Does it keep a write ledger of that cluster? Such a probe is part of every run whose faults work on it. */
  readonly ledger?: boolean;
  /** What the probe changes where it measures, and what of that stays, for the plan. None: it only reads, or asks what users ask. */
  changes?(spec: Spec): readonly string[];
  /** Longest time one sample can take, ms; silence is counted beyond it. */
  longestSampleMs(spec: Spec): number;
  /** Starts at once; never rejects for what the target does. `spec` has its secrets resolved. */
  start(spec: Spec, context: ProbeContext): RunningProbe;
}
