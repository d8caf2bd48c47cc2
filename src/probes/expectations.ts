/** What an answer must say to be a good one: a text in it, or values in its JSON. */
import * as z from 'zod';
import { comparisonPattern, parseComparison, satisfies } from '../core/units.ts';
import { JsonPath, readJsonPath } from './json-path.ts';

export const ExpectText = z.union([
  z.string().min(1),
  z.strictObject({
    matches: z
      .string()
      .min(1)
      .refine(isPattern, { error: 'expected a regular expression' })
      .meta({ description: 'A regular expression, as in JavaScript with the flag u.' }),
  }),
]);
export type ExpectText = z.infer<typeof ExpectText>;

/** A comparison has a plain number; any other text is compared as it is. */
const JsonExpectation = z.union([
  z.string().refine((text) => !comparisonPattern.test(text) || parseComparison(text)?.unit === 'count', {
    error: 'expected a comparison with a plain number, such as "< 5"',
  }),
  z.number(),
  z.boolean(),
  z.null(),
]);

export const ExpectJson = z
  .record(JsonPath, JsonExpectation)
  .refine((expected) => Object.keys(expected).length > 0, { error: 'expected at least one path' });
export type ExpectJson = z.infer<typeof ExpectJson>;

/** Is it there? Pure; a pattern is compiled once. */
export function textMatcher(expected: ExpectText): (text: string) => boolean {
  if (typeof expected === 'string') return (text) => text.includes(expected);
  const pattern = new RegExp(expected.matches, 'u');
  return (text) => pattern.test(text);
}

/** Why `text` is not what was expected, in a few stable words; `undefined` when it is. */
export function jsonMistake(text: string, expected: ExpectJson): string | undefined {
  const data = parseJson(text);
  if (data === undefined) return 'not JSON';
  const found = Object.entries(expected).map(([path, value]) => ({ value, actual: readJsonPath(data.json, path) }));
  if (found.some(({ actual }) => actual === undefined)) return 'JSON path missing';
  return found.every(({ actual, value }) => isExpected(actual, value)) ? undefined : 'JSON value differs';
}

export function parseJson(text: string): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function isExpected(actual: unknown, expected: ExpectJson[string]): boolean {
  const comparison = typeof expected === 'string' ? parseComparison(expected) : undefined;
  if (comparison === undefined) return actual === expected;
  return typeof actual === 'number' && satisfies(comparison, actual);
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text, 'u');
    return true;
  } catch {
    return false;
  }
}
