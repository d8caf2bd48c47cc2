/**
 * Durations, rates, percentages and comparisons as people write them. In files they are strings with units; in code a
 * duration is `Milliseconds`, a rate is events per second, a percentage is a ratio 0–1.
 */
declare const brand: unique symbol;
/** A span of time in milliseconds, finite and ≥ 0. */
export type Milliseconds = number & { readonly [brand]: 'Milliseconds' };

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
export const durationPattern = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
export const ratePattern = /^\d+(?:\.\d+)?\/(?:s|m|h)$/;
export const percentPattern = /^\d+(?:\.\d+)?%$/;
export const comparisonPattern = /^(<=|>=|<|>|==)\s*(\d+(?:\.\d+)?)(%|ms|s|m|h|d)?$/;

/** Makes a {@link Milliseconds} of a computed number; throws `RangeError` below zero or when not finite. */
export function milliseconds(value: number): Milliseconds {
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`not a duration in milliseconds: ${value}`);
  return value as Milliseconds;
}

/** Parses `30s`, `500ms`, `1.5h`, `1h30m`; `undefined` when `text` is not a duration. */
export function parseDuration(text: string): Milliseconds | undefined {
  if (!durationPattern.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(amount) * unitMs[unit as keyof typeof unitMs];
  }
  return Number.isFinite(total) ? milliseconds(total) : undefined;
}

/** Writes a duration for people: `850 ms`, `2.4 s`, `1 min 30 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return 'unknown';
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trimZero((ms / 1_000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return joinNonZero(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  return joinNonZero(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

/** A long time as it was promised: `30 d`, `7 d`, `36 h`. */
export function formatPeriod(ms: number): string {
  return ms >= 2 * unitMs.d && ms % unitMs.d === 0 ? `${ms / unitMs.d} d` : formatDuration(ms);
}

function joinNonZero(major: number, majorUnit: string, minor: number, minorUnit: string): string {
  return minor === 0 ? `${major} ${majorUnit}` : `${major} ${majorUnit} ${minor} ${minorUnit}`;
}

function trimZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}

/** Parses `10/s`, `600/m`; events per second, or `undefined`. */
export function parseRate(text: string): number | undefined {
  if (!ratePattern.test(text)) return undefined;
  const [amount, unit] = text.split('/') as [string, keyof typeof unitMs];
  return finite((Number(amount) * 1_000) / unitMs[unit]);
}

/** Parses `50%` to `0.5`; `undefined` when `text` is not a percentage. */
export function parsePercent(text: string): number | undefined {
  return percentPattern.test(text) ? finite(Number(text.slice(0, -1)) / 100) : undefined;
}

/** Digits enough to overflow are no number that anybody means, and JSON cannot hold what they become. */
function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined;
}

export type ComparisonOperator = '<' | '<=' | '>' | '>=' | '==';
/** What a number counts: milliseconds, a ratio 0–1, or plain. */
export type Unit = 'duration' | 'ratio' | 'count';

/** `<= 30s` is `{ operator: '<=', value: 30000, unit: 'duration', text: '<= 30s' }`. */
export interface Comparison {
  readonly operator: ComparisonOperator;
  /** Milliseconds, ratio 0–1 or plain number, as `unit` says. */
  readonly value: number;
  readonly unit: Unit;
  /** As written, for people. */
  readonly text: string;
}

/** Parses `<= 30s`, `> 5%`, `== 0`; a bare number or `0` means `==`. `undefined` when it is none of these. */
export function parseComparison(input: string | number): Comparison | undefined {
  if (typeof input === 'number') {
    return { operator: '==', value: input, unit: 'count', text: `== ${input}` };
  }
  const match = comparisonPattern.exec(input.trim());
  if (match === null) return undefined;
  const [, operator, amount, suffix] = match;
  const number = Number(amount);
  if (!Number.isFinite(number * unitMs.d)) return undefined;
  const base = { operator: operator as ComparisonOperator, text: input.trim() };
  if (suffix === undefined) return { ...base, value: number, unit: 'count' };
  if (suffix === '%') return { ...base, value: number / 100, unit: 'ratio' };
  return { ...base, value: number * unitMs[suffix as keyof typeof unitMs], unit: 'duration' };
}

/** Does `value` (in the comparison's own unit) satisfy it? NaN satisfies nothing. */
export function satisfies(comparison: Comparison, value: number): boolean {
  switch (comparison.operator) {
    case '<':
      return value < comparison.value;
    case '<=':
      return value <= comparison.value;
    case '>':
      return value > comparison.value;
    case '>=':
      return value >= comparison.value;
    case '==':
      return value === comparison.value;
  }
}

/** Writes a measured value in its unit: `2.4 s`, `4.1 %`, `17`. */
export function formatQuantity(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return 'no data';
  switch (unit) {
    case 'duration':
      return formatDuration(value);
    case 'ratio':
      return `${trimZero((value * 100).toFixed(1))} %`;
    case 'count':
      return formatNumber(value);
  }
}

/** Two decimals, or three digits that say something where two decimals would not. */
function formatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) < 0.1 ? String(Number(value.toPrecision(3))) : value.toFixed(2);
}
