/**
 * What a text should have been, by the pattern that it failed: so schemas anywhere that use the patterns of `core/units.ts` are explained
 * alike. Where it can be guessed what was meant (a missing unit, `5 min`, `=<`), the help says it.
 */
import { comparisonPattern, durationPattern, parseComparison, percentPattern, ratePattern, type Unit } from '../core/units.ts';

export interface Explainer {
  /** Of the diagnostic. */
  readonly code: string;
  /** `a duration such as 30s`. */
  readonly expected: string;
  /** Why the input is not one, and what was probably meant. */
  readonly repair?: (input: unknown) => { readonly reason?: string; readonly help: string } | undefined;
  /** What was written must not be repeated. */
  readonly secret?: boolean;
}

const explainers = new Map<string, Explainer>();

/** What is said about texts that do not match `pattern`, whichever schema uses it. */
export function explainPattern(pattern: RegExp, explainer: Explainer): void {
  explainers.set(String(pattern), explainer);
}

/** The explainer of a pattern, given as `String(regex)`. */
export function explainerFor(pattern: string): Explainer | undefined {
  return explainers.get(pattern);
}

export const comparisonPatterns: Readonly<Record<Unit, RegExp>> = {
  duration: /^(?:<=|>=|<|>|==)\s*\d+(?:\.\d+)?(?:ms|s|m|h|d)$/,
  ratio: /^(?:<=|>=|<|>|==)\s*\d+(?:\.\d+)?%$/,
  count: /^(?:<=|>=|<|>|==)\s*\d+(?:\.\d+)?$/,
};

export const comparisonExamples: Readonly<Record<Unit, string>> = { duration: '<= 30s', ratio: '<= 5%', count: '<= 5' };

export const comparisonNouns: Readonly<Record<Unit, string>> = {
  duration: `a comparison with a duration such as "${comparisonExamples.duration}"`,
  ratio: `a comparison with a percentage such as "${comparisonExamples.ratio}"`,
  count: `a number such as 0, or a comparison such as "${comparisonExamples.count}"`,
};

explainers.set(String(durationPattern), { code: 'bad-duration', expected: 'a duration such as 30s', repair: repairDuration });
explainers.set(String(ratePattern), { code: 'bad-rate', expected: 'a rate such as 10/s', repair: repairRate });
explainers.set(String(percentPattern), { code: 'bad-percent', expected: 'a percentage such as 50%', repair: repairPercent });
explainers.set(String(comparisonPattern), {
  code: 'bad-comparison',
  expected: 'a comparison such as "> 5%" or "<= 30s"',
  repair: (input) => repairComparison(input, undefined),
});
for (const unit of ['duration', 'ratio', 'count'] as const) {
  explainers.set(String(comparisonPatterns[unit]), {
    code: 'bad-comparison',
    expected: comparisonNouns[unit],
    repair: (input) => repairComparison(input, unit),
  });
}

const bareNumber = /^\d+(?:\.\d+)?$/;

/** What people write for units, and what it is here. */
const unitWords: readonly (readonly [RegExp, string])[] = [
  [/milliseconds?|msecs?/g, 'ms'],
  [/seconds?|secs?/g, 's'],
  [/minutes?|mins?/g, 'm'],
  [/hours?|hrs?/g, 'h'],
  [/days?/g, 'd'],
];

function withShortUnits(text: string): string {
  return unitWords.reduce((current, [pattern, unit]) => current.replace(pattern, unit), text.toLowerCase().replaceAll(/\s+/g, ''));
}

function repairDuration(input: unknown) {
  const text = String(input).trim();
  if (bareNumber.test(text)) return { reason: 'a unit is missing', help: `did you mean ${text}s?` };
  const candidate = withShortUnits(text);
  return durationPattern.test(candidate) ? { help: `did you mean ${candidate}?` } : { help: 'units are ms, s, m, h and d' };
}

function repairRate(input: unknown) {
  const text = String(input).trim();
  if (bareNumber.test(text)) return { reason: 'the time is missing', help: `did you mean ${text}/s?` };
  const candidate = withShortUnits(text)
    .replace(/per|\/1/, '/')
    .replace(/rps$|hz$/, '/s')
    .replace(/rpm$/, '/m');
  return ratePattern.test(candidate) ? { help: `did you mean ${candidate}?` } : { help: 'a number, then /s, /m or /h' };
}

function repairPercent(input: unknown) {
  const text = String(input).trim();
  if (!bareNumber.test(text)) {
    const candidate = text.replaceAll(/\s+/g, '').replace(/percent$/i, '%');
    return percentPattern.test(candidate) ? { help: `did you mean ${candidate}?` } : undefined;
  }
  const number = Number(text);
  const meant = number > 0 && number < 1 ? Number((number * 100).toFixed(6)) : number;
  return { reason: 'the percent sign is missing', help: `did you mean ${meant}%?` };
}

function repairComparison(input: unknown, unit: Unit | undefined) {
  const text = String(input).trim();
  const [, operator, rest = ''] = /^(<=|>=|==|=<|=>|=|<|>)?\s*(.*)$/.exec(text) ?? [];
  const fixed = { '=<': '<=', '=>': '>=', '=': '==' }[operator ?? ''] ?? operator ?? '<=';
  const given = parseComparison(`${fixed} ${withShortUnits(rest)}`);
  if (given === undefined) return { help: 'an operator (<=, <, >=, >, ==), then a value with its unit' };
  const counted = { duration: 'a duration', ratio: 'a percentage', count: 'a count' } as const;
  const suffix = { duration: 's', ratio: '%', count: '' } as const;
  if (unit !== undefined && given.unit !== unit) {
    if (given.unit === 'count') return { reason: 'a unit is missing', help: `did you mean "${given.text}${suffix[unit]}"?` };
    return { reason: `that is ${counted[given.unit]}, not ${counted[unit]}`, help: `for example "${comparisonExamples[unit]}"` };
  }
  return { ...(operator === undefined && { reason: 'an operator is missing' }), help: `did you mean "${given.text}"?` };
}

export function repairName(input: unknown) {
  const candidate = String(input)
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(candidate) ? { help: `did you mean ${candidate}?` } : undefined;
}
