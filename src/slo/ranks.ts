/** Ranks, and the comparison of two groups by them: Mann and Whitney's U, the shift of Hodges and Lehmann with its interval. Pure. */

/** 1 for the smallest; equal values share the mean of their ranks. */
export function midranks(values: readonly number[]): number[] {
  const order = values.map((_value, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks: number[] = new Array(values.length).fill(0);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end] ?? 0] === values[order[start] ?? 0]) end++;
    for (let index = start; index < end; index++) ranks[order[index] ?? 0] = (start + 1 + end) / 2;
    start = end;
  }
  return ranks;
}

export interface Shift {
  /** Median of all differences `after - before`. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** Share of pairs in which `after` is the larger one, ties half: the common language effect size. 0.5 is no effect. */
  readonly cles: number;
}

/**
 * How far `after` lies from `before`; both need a value. The interval holds at the level of `z` (two-sided, normal approximation with the
 * correction for ties). All pairs count, but none is stored: differences of two sorted lists are selected by counting, about n log n in all.
 */
export function shiftBetween(before: readonly number[], after: readonly number[], z: number): Shift {
  const [x, y] = [before, after].map((values) => Float64Array.from(values).sort()) as [Float64Array, Float64Array];
  const pairs = x.length * y.length;
  const half = z * Math.sqrt((pairs / 12) * tieCorrected(x, y));
  const rank = Math.max(1, Math.floor(pairs / 2 - half));
  const nth = (k: number): number => nthDifference(x, y, k);
  return {
    estimate: (nth(Math.floor((pairs + 1) / 2)) + nth(Math.floor(pairs / 2) + 1)) / 2,
    low: nth(rank),
    high: nth(pairs + 1 - rank),
    cles: (pairs - countUpTo(x, y, 0).count + tiedPairs(x, y) / 2) / pairs,
  };
}

/** N + 1, less what ties take from the variance of U. */
function tieCorrected(x: Float64Array, y: Float64Array): number {
  const all = Float64Array.from([...x, ...y]).sort();
  const total = all.length;
  let tied = 0;
  for (let start = 0; start < total; ) {
    let end = start + 1;
    while (end < total && all[end] === all[start]) end++;
    tied += (end - start) ** 3 - (end - start);
    start = end;
  }
  return total + 1 - (total < 2 ? 0 : tied / (total * (total - 1)));
}

/** The k-th smallest `y - x`, 1 for the smallest. */
function nthDifference(x: Float64Array, y: Float64Array, k: number): number {
  let low = at(y, 0) - at(x, x.length - 1);
  let high = at(y, y.length - 1) - at(x, 0);
  while (low < high) {
    const middle = low + (high - low) / 2;
    // Nothing lies between two neighbouring numbers.
    if (middle >= high) return countUpTo(x, y, low).count >= k ? low : high;
    const { count, below, above } = countUpTo(x, y, middle);
    if (count >= k) high = below;
    else low = above;
  }
  return low;
}

/** How many differences are at most `limit`, the largest of them, and the smallest of the others. */
function countUpTo(x: Float64Array, y: Float64Array, limit: number): { count: number; below: number; above: number } {
  let [count, reached, below, above] = [0, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let index = 0; index < x.length; index++) {
    while (reached < y.length && at(y, reached) - at(x, index) <= limit) reached++;
    count += reached;
    if (reached > 0) below = Math.max(below, at(y, reached - 1) - at(x, index));
    if (reached < y.length) above = Math.min(above, at(y, reached) - at(x, index));
  }
  return { count, below, above };
}

function tiedPairs(x: Float64Array, y: Float64Array): number {
  let [tied, first] = [0, 0];
  for (const value of x) {
    while (first < y.length && at(y, first) < value) first++;
    for (let index = first; index < y.length && at(y, index) === value; index++) tied++;
  }
  return tied;
}

function at(values: Float64Array, index: number): number {
  return values[index] ?? Number.NaN;
}
