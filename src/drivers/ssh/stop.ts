/** Why a command is stopped before it ends by itself: its time is up, or someone aborted it. The first reason wins. */
import { onAbort } from './on-abort.ts';

export interface Stop {
  readonly signal: AbortSignal;
  /** Meaningful once `signal` has aborted. */
  readonly kind: 'aborted' | 'timed-out';
  /** Takes timer and listeners off. */
  release(): void;
}

export function stopWhen(timeoutMs: number, signals: readonly AbortSignal[]): Stop {
  const controller = new AbortController();
  let kind: Stop['kind'] = 'aborted';
  const timer = setTimeout(() => {
    if (controller.signal.aborted) return;
    kind = 'timed-out';
    controller.abort();
  }, timeoutMs);
  const releases = signals.map((signal) => onAbort(signal, () => controller.abort()));
  return {
    signal: controller.signal,
    get kind() {
      return kind;
    },
    release() {
      clearTimeout(timer);
      for (const release of releases) release();
    },
  };
}
