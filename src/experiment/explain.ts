/** The sentences for what a schema rejects: expected, got, and the way out. The first line is the summary, further lines the help. */
import { stringify } from 'yaml';
import * as z from 'zod';
import { nearest, plural } from '../core/text.ts';
import { type Explainer, explainerFor } from './explainers.ts';

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys and values',
  record: 'a map of keys and values',
};

export const exampleMark = 'for example ';

/**
 * Handed to zod with every parse; messages that a schema brings itself win over it. For two kinds of issue the text is not a sentence
 * but what the writer of diagnostics (`issues.ts`) needs: unknown keys give the known ones as JSON, missing values `for example …`.
 */
export const explainIssue: z.core.$ZodErrorMap = (issue) => {
  if (issue.code === 'unrecognized_keys') return JSON.stringify(keysOf(issue.inst));
  if (issue.input === undefined) return `${exampleMark}${exampleOf(issue.inst)}`;
  switch (issue.code) {
    case 'invalid_type':
      return explainType(issue.expected, issue.input, issue.inst);
    case 'invalid_value':
      return explainChoice(issue.values.map(String), issue.input);
    case 'too_small':
      return `expected ${amount(issue.origin, Number(issue.minimum), 'at least')}, got ${size(issue.input)}`;
    case 'too_big':
      return `expected ${amount(issue.origin, Number(issue.maximum), 'at most')}, got ${size(issue.input)}`;
    case 'invalid_union':
      return issue.discriminator === undefined ? undefined : explainDiscriminator(issue);
    // Formats are explained where the path is known; the others keep their own message.
    case 'invalid_format':
    case 'invalid_key':
    case 'invalid_element':
    case 'not_multiple_of':
    case 'custom':
      return undefined;
  }
};

/** A value as people wrote it, short enough for a sentence. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  return String(value);
}

/** `did you mean "x"?`, or the names there are. */
export function didYouMean(word: string, names: readonly string[], label = 'one of'): string | undefined {
  const near = nearest(word, names);
  if (near !== undefined) return `did you mean ${JSON.stringify(near)}?`;
  return names.length === 0 ? undefined : `${label}: ${names.join(', ')}`;
}

function explainType(expected: string, input: unknown, inst: unknown): string {
  const explainer = patternsOf(inst)
    .map(explainerFor)
    .find((one) => one !== undefined);
  if (explainer !== undefined) return explainText(explainer, input);
  const summary = `expected ${typeNames[expected] ?? expected}, got ${shown(input)}`;
  const quotable = expected === 'string' && (typeof input === 'number' || typeof input === 'boolean');
  return quotable ? `${summary}\nput it in quotes: "${input}"` : summary;
}

/** Known patterns are explained whatever message their schema brings, so that all durations are explained alike. */
export function explainFormat(pattern: string | undefined, input: unknown, otherwise: string): string {
  const explainer = pattern === undefined ? undefined : explainerFor(pattern);
  return explainer === undefined ? otherwise : explainText(explainer, input);
}

function explainText(explainer: Explainer, input: unknown): string {
  const repair = input === null ? undefined : explainer.repair?.(input);
  const got = explainer.secret === true ? '' : `, got ${shown(input)}`;
  return `expected ${explainer.expected}${got}${repair?.reason ? `: ${repair.reason}` : ''}${repair ? `\n${repair.help}` : ''}`;
}

function explainChoice(values: readonly string[], input: unknown): string {
  if (values.length === 1) return `expected ${values[0]}, got ${shown(input)}`;
  return `expected one of ${values.join(', ')}; got ${shown(input)}${optionalLine(nearestOf(input, values))}`;
}

function explainDiscriminator(issue: z.core.$ZodRawIssue<z.core.$ZodIssueInvalidUnion>): string {
  const discriminator = issue.discriminator ?? '';
  const input = (issue.input as Record<string, unknown> | null)?.[discriminator];
  const names = ((issue.options ?? []) as readonly unknown[]).map(String);
  if (input === undefined) return `${exampleMark}${names.join(' | ')}`;
  if (typeof input !== 'string') return `expected the name of a ${discriminator}, got ${shown(input)}\none of: ${names.join(', ')}`;
  return `unknown ${discriminator} ${shown(input)}${optionalLine(didYouMean(input, names))}`;
}

function nearestOf(input: unknown, names: readonly string[]): string | undefined {
  const near = typeof input === 'string' ? nearest(input, names) : undefined;
  return near === undefined ? undefined : `did you mean ${JSON.stringify(near)}?`;
}

function optionalLine(line: string | undefined): string {
  return line === undefined ? '' : `\n${line}`;
}

function amount(origin: string, limit: number, bound: string): string {
  if (origin === 'array' || origin === 'set') return `${bound} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') return bound === 'at least' && limit === 1 ? 'some text' : `${bound} ${plural(limit, 'character')}`;
  return `${bound} ${limit}`;
}

function size(input: unknown): string {
  if (Array.isArray(input)) return input.length === 0 ? 'an empty list' : String(input.length);
  return shown(input);
}

/** The patterns of a string schema: what was expected of a text is known even when something else came. */
function patternsOf(inst: unknown): string[] {
  if (!(inst instanceof z.ZodString)) return [];
  const checks: readonly z.core.$ZodCheck[] = inst.def.checks ?? [];
  return checks.flatMap((check) => {
    const { def } = check._zod;
    return 'pattern' in def && def.pattern instanceof RegExp ? [String(def.pattern)] : [];
  });
}

function keysOf(inst: unknown): string[] {
  return inst instanceof z.ZodObject ? Object.keys(inst.def.shape) : [];
}

function exampleOf(inst: unknown): string {
  if (inst instanceof z.ZodEnum) return Object.values(inst.def.entries as Record<string, string>).join(' | ');
  if (inst instanceof z.ZodLiteral) return String(inst.def.values[0]);
  const example = inst instanceof z.ZodType ? z.globalRegistry.get(inst)?.examples : undefined;
  const first: unknown = Array.isArray(example) ? example[0] : undefined;
  return first === undefined ? '' : stringify(first, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}
