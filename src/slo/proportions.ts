/** Intervals for shares of few events, where the usual ± is wrong. Pure. */

export interface Share {
  /** 0–1. */
  readonly value: number;
  /** How many independent samples it stands on; need not be whole. */
  readonly n: number;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Wilson's score interval (1927); 0–1 for no sample. */
export function wilson({ value, n }: Share, z: number): Interval {
  if (n === 0) return { low: 0, high: 1 };
  const square = (z * z) / n;
  const centre = (value + square / 2) / (1 + square);
  const half = (z / (1 + square)) * Math.sqrt((value * (1 - value)) / n + square / (4 * n));
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** `after - before` with Newcombe's hybrid score interval (1998, method 10). */
export function newcombe(before: Share, after: Share, z: number): Interval & { readonly estimate: number } {
  const [b, a] = [wilson(before, z), wilson(after, z)];
  const estimate = after.value - before.value;
  return {
    estimate,
    low: estimate - Math.hypot(after.value - a.low, b.high - before.value),
    high: estimate + Math.hypot(a.high - after.value, before.value - b.low),
  };
}
