/** What a run and its sampling thread say to each other, and on which clock. */

import type { ErrorCode } from '../../core/error-codes.ts';
import { ChaosError, describeError } from '../../core/errors.ts';
import type { LedgerResult, Sample } from '../contract.ts';
import type { InvalidStretch, SamplingRequest } from './contract.ts';

export interface ThreadOrder {
  readonly request: Omit<SamplingRequest, 'runTime'>;
  /** {@link sharedMs} at the run's start. */
  readonly origin: number;
}

export type ToThread =
  | { readonly type: 'stop' }
  | { readonly type: 'settle'; readonly probe: string }
  /** Nobody waits for the settling of `probe` any more. */
  | { readonly type: 'give-up'; readonly probe: string };

export type FromThread =
  | { readonly type: 'started'; readonly ledgers: readonly string[] }
  | { readonly type: 'failed'; readonly failure: Failure }
  | { readonly type: 'samples'; readonly probe: string; readonly samples: readonly Sample[] }
  | { readonly type: 'invalid'; readonly stretch: InvalidStretch }
  | { readonly type: 'stopped' }
  | { readonly type: 'settled'; readonly probe: string; readonly answer: LedgerResult | Failure };

/** An error as plain data: errors lose their class and code between threads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

export function failureOf(error: unknown): Failure {
  return { code: error instanceof ChaosError ? error.code : 'CHAOS_PROBE', message: describeError(error) };
}

/** Monotonic ms. The one clock that all threads of a process share: each has a `performance.now()` of its own. */
export function sharedMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
