/** How alike neighbouring samples are, and how many of them count as one. Pure. */
import { midranks } from './ranks.ts';

/**
 * Lag-1 autocorrelation of the ranks of `series`, in the order of time; 0 where all values are equal. Of ranks, because a few outliers
 * would hide it and because what follows compares ranks.
 */
export function lagOne(series: readonly number[]): number {
  const ranks = midranks(series);
  const mean = (series.length + 1) / 2;
  let [together, alone] = [0, 0];
  for (const [index, rank] of ranks.entries()) {
    const next = ranks[index + 1];
    alone += (rank - mean) ** 2;
    if (next !== undefined) together += (rank - mean) * (next - mean);
  }
  return alone === 0 ? 0 : together / alone;
}

/** Every how-manieth sample to keep so that those left are as good as independent: `ceil((1 + φ) / (1 - φ))`. */
export function thinningFor(phi: number): number {
  const factor = (1 + Math.max(0, phi)) / (1 - Math.min(phi, 0.999));
  // What is a whole number but for rounding stays one.
  return Math.max(1, Math.ceil(factor - 1e-9));
}

/** The first of `values` and then every `factor`-th. */
export function every<T>(values: readonly T[], factor: number): T[] {
  return values.filter((_value, index) => index % factor === 0);
}
