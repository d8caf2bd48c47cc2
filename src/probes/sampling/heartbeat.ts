/**
 * The prober's own pulse. A beat that is late means that this event loop stood still, and with it every probe in it: whatever was waited
 * for in that stretch seemed slower than it was.
 */
import { performance } from 'node:perf_hooks';

/** ms. Also how long a sample may wait until it is known whether it can be vouched for. Costs 0.8 % of a core; 5 ms would cost 2.3 %. */
const everyMs = 10;
/** From one beat to the next; on a quiet machine the timers of Node are up to 1.5 ms late. */
const longestMs = 15;
/** How long the share of busy time is looked at, ms, and how much of it is too much. */
export const busyWindowMs = 1_000;
const mostBusy = 0.9;

export interface Beat {
  /** Run time, ms. */
  readonly now: number;
  /** The stretch since the beat before, when that was too long. */
  readonly stall?: { readonly from: number; readonly to: number };
  /** Share of the last second in which the event loop had no pause, when that is too much. */
  readonly busy?: number;
}

/** Beats until it is disposed of. `now`: run time, ms. */
export function startHeartbeat(now: () => number, onBeat: (beat: Beat) => void): Disposable {
  let last = now();
  let looked = { at: last, use: performance.eventLoopUtilization() };
  let busy: number | undefined;
  const beat = (): void => {
    const time = now();
    if (time - looked.at >= busyWindowMs) {
      const use = performance.eventLoopUtilization();
      const share = performance.eventLoopUtilization(use, looked.use).utilization;
      busy = share > mostBusy ? share : undefined;
      looked = { at: time, use };
    }
    const stall = time - last > longestMs ? { from: last, to: time } : undefined;
    last = time;
    onBeat({ now: time, ...(stall === undefined ? {} : { stall }), ...(busy === undefined ? {} : { busy }) });
  };
  // Each beat is set after the one before: an interval would make up for missed beats by one right behind the other.
  let timer = setTimeout(function again() {
    beat();
    timer = setTimeout(again, everyMs);
  }, everyMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
