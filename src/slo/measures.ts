/** What an SLO can measure, by the names that stand in environment files. Quantiles are exact: nearest rank over raw samples. */

export type Measure =
  | { readonly kind: 'error-rate' }
  | { readonly kind: 'quantile'; readonly thousandths: number }
  | { readonly kind: 'max' }
  | { readonly kind: 'value'; readonly of: 'last' | 'max' | 'min' | 'mean' };

const values = { value: 'last', 'value-max': 'max', 'value-min': 'min', 'value-mean': 'mean' } as const;

const quantile = /^p(\d{1,2}(?:\.\d)?)$/;

/** `error-rate`, `max`, `p50` … `p99.9`, `value`, `value-max`, `value-min`, `value-mean`; `undefined` for any other name. */
export function parseMeasure(name: string): Measure | undefined {
  if (name === 'error-rate' || name === 'max') return { kind: name };
  if (Object.hasOwn(values, name)) return { kind: 'value', of: values[name as keyof typeof values] };
  const percent = quantile.exec(name)?.[1];
  if (percent === undefined || Number(percent) === 0) return undefined;
  return { kind: 'quantile', thousandths: Math.round(Number(percent) * 10) };
}

/**
 * The smallest of `sorted` (ascending, not empty) that at least `thousandths` of 1000 values do not exceed. The rank is computed in whole
 * numbers: 0.999 × 1000 is a little more than 999 in floating point and would take the next rank.
 */
export function nearestRank(sorted: readonly number[], thousandths: number): number {
  const rank = Math.max(1, Math.ceil((sorted.length * thousandths) / 1_000));
  return sorted[rank - 1] ?? Number.NaN;
}
