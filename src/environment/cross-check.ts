/** An experiment against an environment: the names it uses must mean something there. */
import { didYouMean } from '../experiment/explain.ts';
import { Selector } from '../experiment/selector.ts';
import type { PlacedMistake } from '../experiment/source.ts';
import type { EnvironmentModel } from './resolve.ts';
import { describeSelectionProblem, type SelectionProblem, selectTargets } from './select.ts';

/**
 * Unknown SLOs, and selectors that mean nothing. Looks at the file's raw data, so that these mistakes are told together with those of its
 * shape; what is not shaped like a name or a selector is left to the schema. Selectors by a database role are left for when the
 * servers have been asked; {@link selectionMistake} says those mistakes as well.
 */
export function crossCheck(data: unknown, environment: EnvironmentModel): PlacedMistake[] {
  return [
    ...unknownSlos(list(field(field(data, 'steadyState'), 'slos')), environment),
    ...badSelectors(list(field(data, 'method')), environment),
  ];
}

function unknownSlos(names: readonly unknown[], environment: EnvironmentModel): PlacedMistake[] {
  const known = environment.slos.map((slo) => slo.name);
  return names.flatMap((slo, index) => {
    if (typeof slo !== 'string' || known.includes(slo)) return [];
    const detail = didYouMean(slo, known, 'there are') ?? 'it defines no SLOs';
    const summary = `environment ${environment.name} has no SLO ${JSON.stringify(slo)}`;
    return [{ code: 'unknown-slo', path: ['steadyState', 'slos', index], summary, detail }];
  });
}

function badSelectors(steps: readonly unknown[], environment: EnvironmentModel): PlacedMistake[] {
  const asked = new Set(environment.databases.flatMap(({ roles }) => [roles.primary, roles.standby]));
  return steps.flatMap((step, index) => {
    const parsed = Selector.safeParse(field(step, 'on'), { jitless: true });
    if (!parsed.success || (parsed.data.role !== undefined && asked.has(parsed.data.role))) return [];
    const selector = parsed.data;
    // Names of database roles are known, though not yet who holds them.
    const hosts = environment.hosts.map((host) => ({
      ...host,
      roles: selector.role === undefined ? host.roles : [...host.roles, ...asked],
    }));
    const selection = selectTargets(selector, hosts, environment.labels);
    return selection.ok ? [] : [selectionMistake(index, selector, selection.problem)];
  });
}

/** A selection problem of step `index` (0-based, as in the file) at the part of `on` that it is about. */
export function selectionMistake(index: number, selector: Selector, problem: SelectionProblem): PlacedMistake {
  return {
    code: `selection-${problem.kind}`,
    path: ['method', index, 'on', ...partOf(selector, problem)],
    ...describeSelectionProblem(problem),
  };
}

function partOf(selector: Selector, problem: SelectionProblem): (string | number)[] {
  switch (problem.kind) {
    case 'unknown-name':
      return [problem.what];
    case 'unknown-exclude':
      return ['exclude', Math.max(0, (selector.exclude ?? []).indexOf(problem.name))];
    case 'none-left':
      return selector.exclude === undefined ? [] : ['exclude'];
    case 'too-few':
      return selector.random === undefined ? ['count'] : ['random', 'count'];
    case 'rounds-to-zero':
      return ['percent'];
  }
}

function field(data: unknown, name: string): unknown {
  return data !== null && typeof data === 'object' && Object.hasOwn(data, name) ? Reflect.get(data, name) : undefined;
}

function list(data: unknown): readonly unknown[] {
  return Array.isArray(data) ? data : [];
}
