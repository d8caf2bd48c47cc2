/** Which sort of file this is, before anything else is said about it. */
import { shown } from './explain.ts';
import type { PlacedMistake } from './source.ts';

const kinds = { Experiment: 'an experiment', Environment: 'an environment' } as const;
export type FileKind = keyof typeof kinds;

/** One mistake instead of many when the file is of another kind, or no map at all. */
export function wrongKind(data: unknown, expected: FileKind): PlacedMistake | undefined {
  if (data === null || typeof data !== 'object' || Array.isArray(data)) {
    const summary = `expected ${kinds[expected]}: a map of keys and values, got ${shown(data)}`;
    return { code: 'wrong-type', path: [], summary, detail: `the first lines are: apiVersion: chaos/v1, kind: ${expected}` };
  }
  const found: unknown = 'kind' in data ? data.kind : undefined;
  if (typeof found !== 'string' || found === expected || !Object.hasOwn(kinds, found)) return undefined;
  return {
    code: 'wrong-kind',
    path: ['kind'],
    summary: `expected ${kinds[expected]}, but this file says it is ${kinds[found as FileKind]}`,
  };
}
