/** What was claimed and what was seen, clause by clause; and what the plan meant to touch against what was touched. */
import { formatQuantity } from '../core/units.ts';
import { changedTarget, closestApproach, injectedFaults, plannedTargets, stampsOf, touchedTargets } from '../journal/fold-facts.ts';
import type { RunState } from '../journal/fold-state.ts';
import { code, safe, table } from './escape.ts';

const resultWords = { held: '✅ held', refuted: '❌ refuted', unknown: '❔ unknown' } as const;

export function hypothesis(state: RunState): string {
  const claim = state.plan?.experiment.hypothesis;
  const clauses = state.judgement?.clauses ?? [];
  const rows = clauses.map((clause) => [
    `${clause.kind === 'expect' ? 'expectation' : clause.kind} ${code(clause.name)}`,
    safe(clause.expected),
    safe(clause.observed),
    clause.samples === undefined ? '' : String(clause.samples),
    resultWords[clause.result],
  ]);
  return [
    claim === undefined ? '' : `> ${safe(claim)}`,
    table(['Clause', 'Expected', 'Observed', 'n', 'Result'], rows, 'No clause was judged.'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

export function blastRadius(state: RunState): string {
  if (state.plan === undefined) return 'The journal holds no plan.';
  const planned = plannedTargets(state.plan);
  const touched = touchedTargets(state);
  const hosts = state.plan.hosts.map((host) => host.id);
  const outside = touched.filter((target) => !planned.includes(target));
  const rows = [...new Set([...hosts, ...planned, ...touched])].map((target) => [
    code(target),
    purposes(state, target),
    changesOn(state, target),
  ]);
  return [
    table(['Target', 'Planned', 'Touched'], rows, 'The plan has no targets.'),
    outside.length === 0
      ? 'Nothing outside the plan was touched.'
      : `**Touched although not in the plan: ${outside.map((target) => code(target)).join(', ')}.**`,
    affected(state),
  ].join('\n\n');
}

function purposes(state: RunState, target: string): string {
  const steps = (state.plan?.steps ?? []).flatMap((step) => {
    if (step.kind !== 'fault') return [];
    const changes = step.operations.filter(
      (operation) => operation.changes && (operation.sink?.target ?? operation.target) === target,
    ).length;
    if (step.targets.includes(target)) return [`target of ${step.id} ${code(step.fault)}`];
    return changes > 0 ? [`changed by ${step.id} ${code(step.fault)}`] : [];
  });
  return steps.length === 0 ? 'reads only' : steps.join(', ');
}

function changesOn(state: RunState, target: string): string {
  if (!touchedTargets(state).includes(target)) return 'no';
  const changes = state.operations.filter((operation) => operation.changes && changedTarget(state, operation) === target);
  const names = [...new Set(changes.map((operation) => operation.operation))];
  return names.length === 0 ? 'yes' : names.map((name) => code(name)).join(', ');
}

/** What users of the system could notice, though no command was sent there. */
function affected(state: RunState): string {
  if (injectedFaults(state).length === 0) return 'Nothing was injected.';
  const { t0 } = stampsOf(state);
  const crossed = (state.plan?.slos ?? [])
    .map((slo) => closestApproach(state, slo, t0))
    .filter((approach) => approach.crossed)
    .map(({ slo, worst }) => `${code(slo.name)} (${worst === undefined ? 'no data' : formatQuantity(worst, slo.unit)} at worst)`);
  return crossed.length === 0
    ? 'No SLO left its limits after injection.'
    : `SLOs that left their limits after injection: ${crossed.join(', ')}.`;
}
