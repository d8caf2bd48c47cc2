import { setMaxListeners } from 'node:events';

/** Calls `react` once when `signal` aborts, at once if it already has. Gives the function that takes the listener off again. */
export function onAbort(signal: AbortSignal, react: () => void): () => void {
  if (signal.aborted) {
    react();
    return () => undefined;
  }
  // Many commands share one run's signal; Node would call more than ten a leak, and say so on the terminal.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', react, { once: true });
  return () => signal.removeEventListener('abort', react);
}
