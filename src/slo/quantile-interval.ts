/** A quantile and how sure it is, from the ranks of the samples alone: no shape of the distribution is assumed. Pure. */
import { nearestRank } from './measures.ts';

const z95 = 1.959_963_984_540_054;

/** So many samples must lie beyond a quantile, else it is decided by a handful of them. */
const leastBeyond = 10;

export interface QuantileEstimate {
  readonly value: number;
  /** 95 % interval. */
  readonly low: number;
  readonly high: number;
}

/** Are `samples` enough for a quantile in thousandths? p99 takes 1,000 of them, p90 100. */
export function enoughFor(samples: number, thousandths: number): boolean {
  return (samples * (1_000 - thousandths)) / 1_000 >= leastBeyond;
}

/**
 * Nearest rank with the interval between the ranks `n q - 1.96 √(n q (1 - q))` and `1 + n q + 1.96 √(n q (1 - q))` (Campbell and Gardner 1988), of
 * `sorted` (ascending); `undefined` where it has too few values.
 */
export function quantileOf(sorted: readonly number[], thousandths: number): QuantileEstimate | undefined {
  const n = sorted.length;
  if (!enoughFor(n, thousandths)) return undefined;
  const q = thousandths / 1_000;
  const half = z95 * Math.sqrt(n * q * (1 - q));
  const at = (rank: number): number => sorted[Math.min(n, Math.max(1, Math.round(rank))) - 1] ?? Number.NaN;
  return { value: nearestRank(sorted, thousandths), low: at(n * q - half), high: at(1 + n * q + half) };
}
