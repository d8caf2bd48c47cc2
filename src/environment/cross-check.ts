/** An experiment against an environment: the names it uses must mean something there. */
import type { Diagnostic } from '../core/diagnostics.ts';
import { didYouMean } from '../experiment/explain.ts';
import type { ExperimentFile } from '../experiment/load.ts';
import type { Selector } from '../experiment/selector.ts';
import type { EnvironmentModel } from './resolve.ts';
import { describeSelectionProblem, type SelectionProblem, selectTargets } from './select.ts';

/**
 * Unknown SLOs, and selectors that mean nothing. Selectors by a database role are left for when the servers have been asked;
 * {@link selectionDiagnostic} says those mistakes as well.
 */
export function crossCheck(file: ExperimentFile, environment: EnvironmentModel): Diagnostic[] {
  const { steadyState, method } = file.experiment;
  const known = environment.slos.map((slo) => slo.name);
  const found = steadyState.slos.flatMap((slo, index) => {
    if (known.includes(slo)) return [];
    const detail = didYouMean(slo, known, 'there are') ?? 'it defines no SLOs';
    const summary = `environment ${environment.name} has no SLO ${JSON.stringify(slo)}`;
    return [file.source.diagnostic({ code: 'unknown-slo', path: ['steadyState', 'slos', index], summary, detail })];
  });
  const asked = new Set(environment.databases.flatMap(({ roles }) => [roles.primary, roles.standby]));
  for (const [index, step] of method.entries()) {
    if (step.kind === 'wait' || (step.on.role !== undefined && asked.has(step.on.role))) continue;
    // Names of database roles are known, though not yet who holds them.
    const hosts = environment.hosts.map((host) => ({
      ...host,
      roles: step.on.role === undefined ? host.roles : [...host.roles, ...asked],
    }));
    const selection = selectTargets(step.on, hosts, environment.labels);
    if (!selection.ok) found.push(selectionDiagnostic(file, index, step.on, selection.problem));
  }
  return found;
}

/** A selection problem of step `index` (0-based, as in the file) at the part of `on` that it is about. */
export function selectionDiagnostic(file: ExperimentFile, index: number, selector: Selector, problem: SelectionProblem): Diagnostic {
  return file.source.diagnostic({
    code: `selection-${problem.kind}`,
    path: ['method', index, 'on', ...partOf(selector, problem)],
    ...describeSelectionProblem(problem),
  });
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
