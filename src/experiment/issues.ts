/** zod's issues as mistakes at paths: unknown keys one by one, unions by their best branch, missing values with an example. */
import type * as z from 'zod';
import { nearest } from '../core/text.ts';
import { didYouMean, exampleMark, explainFormat, shown } from './explain.ts';
import { explainerFor } from './explainers.ts';
import type { Path, PlacedMistake } from './source.ts';

type Issue = z.core.$ZodIssue;

/** All mistakes behind `issues` about `data`. A missing key that an unknown one was probably meant to be is said once, at the unknown one. */
export function mistakesOf(issues: readonly Issue[], data: unknown): PlacedMistake[] {
  const meant = new Set<string>();
  const found = issues.flatMap((issue) => mistakesOfIssue(issue, [], data, meant));
  return found.filter((mistake) => mistake.code !== 'missing-key' || !meant.has(mistake.path.join('\0')));
}

function mistakesOfIssue(issue: Issue, base: Path, data: unknown, meant: Set<string>): PlacedMistake[] {
  const path = [...base, ...issue.path];
  const value = valueAt(data, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, value, issue.message, meant));
  if (issue.code === 'invalid_union' && value !== undefined && issue.errors.length > 0) {
    return unionMistakes(issue.errors, path, data, meant);
  }
  if (value === undefined && issue.code !== 'custom' && path.length > 0) return [missingKey(path, data, issue.message)];
  const [summary = '', ...help] = innermostMessage(issue).split('\n');
  return [{ code: codeOf(issue), path, key: issue.code === 'invalid_key', summary, detail: help.join('\n') || undefined }];
}

function unknownKey(key: string, parent: Path, map: unknown, knownAsJson: string, meant: Set<string>): PlacedMistake {
  const present = new Set(Object.keys(map ?? {}));
  const known = knownKeys(knownAsJson);
  const free = known.filter((name) => !present.has(name));
  const near = nearest(key, free);
  if (near !== undefined) meant.add([...parent, near].join('\0'));
  const detail =
    key === '<<'
      ? 'merge keys are not part of YAML 1.2'
      : known.length === 0
        ? 'no key is possible here'
        : didYouMean(key, free, 'possible here');
  return { code: 'unknown-key', path: [...parent, key], key: true, summary: `unknown key ${JSON.stringify(key)}`, detail };
}

/** See `explainIssue`; a schema's own message for unknown keys is not JSON. */
function knownKeys(json: string): string[] {
  try {
    const keys: unknown = JSON.parse(json);
    return Array.isArray(keys) ? keys.map(String) : [];
  } catch {
    return [];
  }
}

function missingKey(path: Path, data: unknown, message: string): PlacedMistake {
  const key = String(path.at(-1));
  const parent = path.slice(0, -1);
  const near = nearest(key, Object.keys(valueAt(data, parent) ?? {}));
  const where = parent.length === 0 ? '' : ` in ${formatPath(parent)}`;
  const example = message.startsWith(exampleMark) ? message.slice(exampleMark.length) : '';
  const hint = example === '' ? undefined : `for example: ${key}: ${example}`;
  const detail = near === undefined ? hint : `did you mean ${JSON.stringify(key)} where it says ${JSON.stringify(near)}?`;
  return { code: 'missing-key', path, summary: `missing ${JSON.stringify(key)}${where}`, detail };
}

/**
 * Only the branch that was probably meant: the one whose own keys fit best, then the one with the fewest issues. Where no branch
 * accepts the type at all, what they would accept in one sentence.
 */
function unionMistakes(branches: readonly (readonly Issue[])[], path: Path, data: unknown, meant: Set<string>): PlacedMistake[] {
  const value = valueAt(data, path);
  const types = branches.map((issues) => issues[0]).filter((issue) => issue?.code === 'invalid_type' && issue.path.length === 0);
  if (types.length === branches.length) {
    const expected = [...new Set(types.map((issue) => /^expected (.+?), got/.exec(issue?.message ?? '')?.[1] ?? 'something else'))];
    return [{ code: 'wrong-type', path, summary: `expected ${expected.join(' or ')}, got ${shown(value)}` }];
  }
  const ranked = branches
    .map((issues) => ({ issues, misfit: misfit(issues, value) }))
    .sort((a, b) => a.misfit - b.misfit || a.issues.length - b.issues.length);
  return (ranked[0]?.issues ?? []).flatMap((issue) => mistakesOfIssue(issue, path, data, meant));
}

/** How little a branch looks like what was meant; what is wrong deeper inside says nothing about that. */
function misfit(issues: readonly Issue[], value: unknown): number {
  let total = 0;
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys' && issue.path.length === 0) total += 2 * issue.keys.length;
    else if (issue.path.length === 0 && isOfAnotherType(issue, value)) total += 10;
    else if (issue.path.length === 1 && valueAt(value, issue.path) === undefined) total += 3;
    else if (issue.path.length <= 1) total += 1;
  }
  return total;
}

/** A map is never meant to be the one word that another branch is. */
function isOfAnotherType(issue: Issue, value: unknown): boolean {
  return issue.code === 'invalid_type' || (issue.code === 'invalid_value' && typeof value === 'object');
}

function innermostMessage(issue: Issue): string {
  const inner = issue.code === 'invalid_key' || issue.code === 'invalid_element' ? issue.issues[0] : undefined;
  if (inner !== undefined) return innermostMessage(inner);
  return issue.code === 'invalid_format' ? explainFormat(issue.pattern, issue.input, issue.message) : issue.message;
}

function codeOf(issue: Issue): string {
  if (issue.code === 'invalid_type') return 'wrong-type';
  if (issue.code === 'invalid_key') return 'bad-name';
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) return `unknown-${issue.discriminator}`;
  if (issue.code === 'invalid_format' && issue.pattern !== undefined) return explainerFor(issue.pattern)?.code ?? 'bad-value';
  if (issue.code === 'custom' && typeof issue.params?.code === 'string') return issue.params.code;
  return 'bad-value';
}

/** `method[0].on`. */
function formatPath(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`),
    '',
  );
}

function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const part of path) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value;
}
