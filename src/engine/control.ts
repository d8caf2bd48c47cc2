/**
 * The one way to stop a run early. Whoever stops it gives a typed reason; the first one wins and is set before anything acts on it.
 * The signal here reaches injecting, waiting and measuring, never undoing.
 */
import { type AbortReason, RunAborted } from '../core/abort.ts';
import type { Phase } from '../journal/events.ts';

export class RunControl {
  readonly #stop = new AbortController();
  readonly #skip = new AbortController();
  #reason: AbortReason | undefined;
  /** Where the run stands; `undefined` before the first phase. */
  phase: Phase | undefined;

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get reason(): AbortReason | undefined {
    return this.#reason;
  }

  /** Aborts when the operator does not want to wait for the SLOs to come back; everything is undone by then. */
  get skipRecovery(): AbortSignal {
    return this.#skip.signal;
  }

  /** A target whose connection broke: a reason to stop while there is a fault to watch; undoing connects again by itself. */
  lost(target: string, detail: string): void {
    if (this.phase === 'rollback' || this.phase === 'recovery' || this.phase === 'verdict') return;
    this.stop({ kind: 'target-lost', target, detail });
  }

  /** Stops the run; gives false when it was already stopped. */
  stop(reason: AbortReason): boolean {
    if (reason.kind === 'operator' && this.phase === 'recovery') this.#skip.abort(new RunAborted(reason));
    if (this.#reason !== undefined) return false;
    this.#reason = reason;
    this.#stop.abort(new RunAborted(reason));
    return true;
  }
}
