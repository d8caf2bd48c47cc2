/**
 * How often the abort rule would stop a run in which nothing happens, from what the baseline looked like. Pure; the seed is fixed.
 *
 * Each simulated run draws its true share of bad samples from what the baseline leaves possible (Jeffreys' posterior, Beta(bad + ½, good + ½)), then
 * its samples, and keeps the worst that the rule would have seen. One simulation answers for every count.
 */
import { beta, type Random, seeded } from './random.ts';

export interface Observed {
  readonly samples: number;
  readonly bad: number;
  readonly failed: number;
}

/** The worst of one run: most bad ones among the last `of`, most failures in a row. */
export interface Worst {
  readonly bad: number;
  readonly row: number;
}

const runs = 2_000;
const batch = 100;
/** Runs that expect more bad samples than this are followed in part, and their probability is scaled up: the runner has probes to serve. */
const mostBadPerRun = 200;

export class FalseAborts {
  readonly #worst: readonly Worst[];
  readonly #scale: number;

  private constructor(worst: readonly Worst[], scale: number) {
    this.#worst = worst;
    this.#scale = scale;
  }

  /** Runs of `planned` samples each. Yields every millisecond or so of arithmetic: whoever drives it can let others have their turn. */
  static *simulate({ samples, bad, failed }: Observed, planned: number, of: number): Generator<undefined, FalseAborts> {
    const random = seeded(1);
    const expected = (bad + 0.5) / (samples + 1);
    const length = Math.min(planned, Math.max(Math.ceil(mostBadPerRun / expected), 2 * of));
    const worst: Worst[] = [];
    while (worst.length < runs) {
      const share = beta(random, bad + 0.5, samples - bad + 0.5);
      worst.push(worstOf(random, { share, failing: failing(random, failed, bad), length, of }));
      if (worst.length % batch === 0) yield;
    }
    return new FalseAborts(worst, length === 0 ? 0 : planned / length);
  }

  /** Probability that a run is stopped, 0–1. */
  probability(stops: (worst: Worst) => boolean): number {
    const share = this.#worst.filter(stops).length / runs;
    return 1 - (1 - share) ** this.#scale;
  }
}

/** Where nothing was bad, or all that was bad failed, whatever is bad later counts as a failure: the worse of the two. */
function failing(random: Random, failed: number, bad: number): number {
  return failed === bad ? 1 : beta(random, failed + 0.5, bad - failed + 0.5);
}

interface Course {
  /** Of samples that are bad, and of bad ones that failed. */
  readonly share: number;
  readonly failing: number;
  readonly length: number;
  readonly of: number;
}

/** From one bad sample straight to the next: the good ones between them change nothing. */
export function worstOf(random: Random, { share, failing, length, of }: Course): Worst {
  const at: number[] = [];
  let first = 0;
  let [bad, row, rowNow, lastFailed] = [0, 0, 0, -1];
  // 1 - random() is never 0, whose logarithm would be.
  const gap = (): number => 1 + (share >= 1 ? 0 : Math.floor(Math.log(1 - random()) / Math.log1p(-share)));
  for (let place = gap() - 1; share > 0 && place < length; place += gap()) {
    at.push(place);
    while ((at[first] ?? 0) <= place - of) first++;
    bad = Math.max(bad, at.length - first);
    if (failing < 1 && random() >= failing) continue;
    rowNow = lastFailed === place - 1 ? rowNow + 1 : 1;
    lastFailed = place;
    row = Math.max(row, rowNow);
  }
  return { bad, row };
}
