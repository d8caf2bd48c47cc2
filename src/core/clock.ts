/** Time, injected so that tests can drive it. Wall time is for display only; intervals are monotonic. */
import type { Milliseconds } from './units.ts';

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  wall(): number;
  /** Milliseconds on a clock that never jumps; only differences mean something. */
  monotonic(): number;
  /** Resolves after `duration`; rejects with the signal's reason as soon as it aborts. */
  sleep(duration: Milliseconds | number, signal: AbortSignal): Promise<void>;
}

/** Longest wait of one timer, ms: with more, Node's fire at once. */
const longestTimer = 2 ** 31 - 1;

export const systemClock: Clock = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (duration, signal) => {
    for (let left: number = duration; left > longestTimer; left -= longestTimer) await timer(longestTimer, signal);
    await timer(duration % longestTimer, signal);
  },
};

function timer(duration: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timeout);
      reject(signal.reason as Error);
    };
    const timeout = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, duration);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** Asks `attempt` each `interval` until it gives something other than `undefined`; a last time when `within` has passed, then `undefined`. */
export async function poll<T>(
  clock: Clock,
  options: { readonly interval: number; readonly within: number },
  attempt: () => Promise<T | undefined>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const deadline = clock.monotonic() + options.within;
  for (;;) {
    signal.throwIfAborted();
    const answer = await attempt();
    if (answer !== undefined) return answer;
    const left = deadline - clock.monotonic();
    if (left <= 0) return undefined;
    await clock.sleep(Math.min(options.interval, left), signal);
  }
}
