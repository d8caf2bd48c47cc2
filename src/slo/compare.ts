/**
 * What a fault changed against the baseline, and whether that may be called a change. Pure. Before and after is no controlled comparison:
 * whatever else changed at the same moment is in it.
 */
import { every, lagOne, thinningFor } from './autocorrelation.ts';
import { type Interval, newcombe, type Share, wilson } from './proportions.ts';
import { type Shift, shiftBetween } from './ranks.ts';

/** Two-sided 98 %. */
export const z98 = 2.326_347_874_040_841;

/** Fewer independent samples on one side prove nothing. */
export const leastEffective = 50;
/** Of pairs in which the slower one must be from the fault; its mirror image for faster. */
export const clearCles = 0.71;
/** Of the median before: less is no difference that anybody would act on. */
export const practicalMargin = 0.1;

/** `inconclusive`: too few samples. `unproved`: the data does not show a change. `small`: there is one, too small to be called one. */
export type Finding = 'inconclusive' | 'unproved' | 'small' | 'higher' | 'lower';

interface Side {
  readonly samples: number;
  /** As many independent ones. */
  readonly effective: number;
}

export interface SeriesComparison {
  readonly before: Side & { readonly median: number };
  readonly during: Side & { readonly median: number };
  readonly shift: Shift;
  readonly finding: Finding;
}

/** Latencies (ms) or values that were read, in the order of time. `undefined` where one side has none. */
export function compareSeries(before: readonly number[], during: readonly number[]): SeriesComparison | undefined {
  if (before.length === 0 || during.length === 0) return undefined;
  const [x, y] = [before, during].map((series) => every(series, thinningFor(lagOne(series)))) as [number[], number[]];
  const shift = shiftBetween(x, y, z98);
  const median = medianOf(before);
  return {
    before: { samples: before.length, effective: x.length, median },
    during: { samples: during.length, effective: y.length, median: medianOf(during) },
    shift,
    finding: Math.min(x.length, y.length) < leastEffective ? 'inconclusive' : judgeShift(shift, median),
  };
}

function judgeShift({ estimate, low, high, cles }: Shift, median: number): Finding {
  if (low <= 0 && high >= 0) return 'unproved';
  const clear = estimate > 0 ? cles >= clearCles : cles <= 1 - clearCles;
  if (!clear || Math.abs(estimate) <= practicalMargin * Math.abs(median)) return 'small';
  return estimate > 0 ? 'higher' : 'lower';
}

export interface ErrorComparison {
  readonly before: Side & Interval & { readonly value: number };
  readonly during: Side & Interval & { readonly value: number };
  readonly difference: Interval & { readonly estimate: number };
  readonly finding: Finding;
}

/**
 * `true` is a failed sample. How alike neighbours are is taken from the baseline for both sides: a row of failures during the fault is what
 * is looked for, not noise.
 */
export function compareErrors(before: readonly boolean[], during: readonly boolean[]): ErrorComparison | undefined {
  if (before.length === 0 || during.length === 0) return undefined;
  const factor = thinningFor(lagOne(before.map(Number)));
  const [b, d] = [share(before, factor), share(during, factor)];
  const difference = newcombe(b, d, z98);
  // The interval knows how few there are; the limit is only for saying that nothing was seen.
  const unseen = Math.min(b.n, d.n) < leastEffective ? 'inconclusive' : 'unproved';
  const side = (values: readonly boolean[], of: Share) => ({
    samples: values.length,
    effective: Math.floor(of.n),
    value: of.value,
    ...wilson(of, z98),
  });
  return {
    before: side(before, b),
    during: side(during, d),
    difference,
    finding: difference.low > 0 ? 'higher' : difference.high < 0 ? 'lower' : unseen,
  };
}

function share(failed: readonly boolean[], factor: number): Share {
  return { value: failed.filter(Boolean).length / failed.length, n: failed.length / factor };
}

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}
