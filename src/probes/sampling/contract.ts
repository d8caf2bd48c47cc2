/**
 * Sampling: all probes of a run, started together and stopped together. Where they run, in this thread or in one of their own, is the
 * business of whoever hands the {@link StartSampling} in; what crosses is plain data.
 */
import type { DatabaseCluster } from '../../plan/plan.ts';
import type { LedgerResult, Sample } from '../contract.ts';

export interface SampledProbe {
  readonly name: string;
  readonly kind: string;
  /** Parsed, secrets resolved. */
  readonly spec: unknown;
}

export interface SamplingRequest {
  readonly runId: string;
  /** Run time now, ms: what the times of samples count on from. */
  readonly runTime: number;
  readonly probes: readonly SampledProbe[];
  /** The plan's clusters, secrets resolved. */
  readonly databases: readonly DatabaseCluster[];
}

/** A stretch of run time, ms, in which the prober did not look at the target, or cannot vouch for what it saw. */
export interface InvalidStretch {
  readonly from: number;
  readonly to: number;
  /** How much of it, ms: several stalls close together are told as one stretch. */
  readonly ms: number;
  /** `stalled`: its event loop stood still; `busy`: it had no time left; `loopback`: it could not even talk to itself. */
  readonly cause: 'stalled' | 'busy' | 'loopback';
  /** What was seen, in a few words. */
  readonly detail: string;
}

/** None of these may throw. */
export interface SamplingListener {
  /** Soon after they are complete, in that order. */
  samples(probe: string, samples: readonly Sample[]): void;
  /** Once it is over. The samples in it carry `own`. */
  invalid(stretch: InvalidStretch): void;
  /** Nothing is measured any more, and nobody asked for that. */
  died(error: Error): void;
}

export interface Sampling extends AsyncDisposable {
  /** Probes that keep a write ledger. */
  readonly ledgers: readonly string[];
  /** Stops starting new samples; resolves when those under way were handed over. Idempotent. */
  stop(): Promise<void>;
  /** After `stop`: has the ledger read back. Rejects with `CHAOS_PROBE`, also for a probe that keeps none. */
  settle(probe: string, signal: AbortSignal): Promise<LedgerResult>;
}

/** Rejects with `CHAOS_PROBE` or `CHAOS_PLAN_DRIFT` when a probe cannot be started; none runs then. */
export type StartSampling = (request: SamplingRequest, listener: SamplingListener) => Promise<Sampling>;
