/** Durations, rates, percentages, comparisons and names as zod schemas: a pattern (so that the JSON Schema has it), then bounds, then the value in code. */
import * as z from 'zod';
import {
  type Comparison,
  comparisonPattern,
  durationPattern,
  formatDuration,
  type Milliseconds,
  parseComparison,
  parseDuration,
  parsePercent,
  parseRate,
  percentPattern,
  ratePattern,
  type Unit,
} from '../core/units.ts';
import { comparisonExamples, comparisonNouns, comparisonPatterns, type Explainer, explainPattern, repairName } from './explainers.ts';

/** Text that matches `pattern`; anything else is explained by `explainer`. */
export function patternText(pattern: RegExp, explainer: Explainer, example: string): z.ZodString {
  explainPattern(pattern, explainer);
  return z
    .string()
    .regex(pattern)
    .meta({ examples: [example] });
}

/** A duration between `min` and `max` (texts, both included). */
export function duration(bounds: { readonly min?: string; readonly max?: string } = {}) {
  const min = bounds.min === undefined ? 0 : (parseDuration(bounds.min) ?? 0);
  const max = bounds.max === undefined ? Number.POSITIVE_INFINITY : (parseDuration(bounds.max) ?? Number.POSITIVE_INFINITY);
  return z
    .string()
    .regex(durationPattern)
    .meta({ examples: ['30s'] })
    .transform((text, context): Milliseconds => {
      const value = parseDuration(text);
      if (value !== undefined && value >= min && value <= max) return value;
      const expected = value !== undefined && value < min ? `at least ${formatDuration(min)}` : `at most ${formatDuration(max)}`;
      context.addIssue({ code: 'custom', params: { code: 'out-of-bounds' }, message: `expected ${expected}, got ${text}` });
      return z.NEVER;
    });
}

/** Events per second, above zero. */
export function rate() {
  return z
    .string()
    .regex(ratePattern)
    .meta({ examples: ['10/s'] })
    .transform((text, context): number => {
      const value = parseRate(text);
      if (value !== undefined && value > 0) return value;
      context.addIssue({ code: 'custom', params: { code: 'out-of-bounds' }, message: `expected more than 0, got ${text}` });
      return z.NEVER;
    });
}

/** A ratio above 0 and up to 1. */
export function percent() {
  return z
    .string()
    .regex(percentPattern)
    .meta({ examples: ['50%'] })
    .transform((text, context): number => {
      const value = parsePercent(text);
      if (value !== undefined && value > 0 && value <= 1) return value;
      context.addIssue({
        code: 'custom',
        params: { code: 'out-of-bounds' },
        message: `expected more than 0% and at most 100%, got ${text}`,
      });
      return z.NEVER;
    });
}

/** A comparison in `unit`; a count may be a bare number, which means equal. */
export function comparison(unit: Unit) {
  const text = z
    .string()
    .regex(comparisonPatterns[unit])
    .meta({ examples: [comparisonExamples[unit]] });
  const input: z.ZodType<string | number, string | number> = unit === 'count' ? z.union([z.number().min(0), text]) : text;
  return input.transform((value, context): Comparison => {
    const parsed = parseComparison(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', params: { code: 'bad-comparison' }, message: `expected ${comparisonNouns[unit]}` });
    return z.NEVER;
  });
}

/** A comparison whose unit depends on something else in the file; the caller checks it. */
export function anyComparison() {
  return z
    .string()
    .regex(comparisonPattern)
    .meta({ examples: ['> 5%'] })
    .transform((text, context): Comparison => {
      const parsed = parseComparison(text);
      if (parsed !== undefined) return parsed;
      context.addIssue({ code: 'custom', params: { code: 'bad-comparison' }, message: 'expected a comparison such as "> 5%"' });
      return z.NEVER;
    });
}

/** Names of experiments, probes, SLOs, databases: they end up in file names and identifiers. */
export const Name = patternText(
  /^[a-z0-9][a-z0-9-]{0,62}$/,
  { code: 'bad-name', expected: 'a name of lower-case letters, digits and dashes', repair: repairName },
  'db-failover',
);

/** Host, group and role names. Digits alone are refused: data structures would order such names by number, not as in the file. */
export const TargetName = patternText(
  /^(?!\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/,
  { code: 'bad-name', expected: 'a name of letters, digits, dots, dashes and underscores, not of digits alone' },
  'web-1',
);

/** Something a person reads. */
export function prose(example: string) {
  return z
    .string()
    .trim()
    .min(1)
    .max(2_000)
    .meta({ examples: [example] });
}
