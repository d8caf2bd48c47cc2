/** Everything needed to check the report or make it again: the resolved plan with every command and its undo. */
import { formatDuration } from '../core/units.ts';
import { endedBefore } from '../journal/fold-facts.ts';
import type { RunState } from '../journal/fold-state.ts';
import type { Operation, Plan, Step } from '../plan/plan.ts';
import { code, fenced, safe } from './escape.ts';

export function appendix(state: RunState): string {
  const parts = [
    `Made from the journal alone; make it again with ${code(`chaos report ${state.run ?? 'RUN'}`)}. Text outside the marked blocks is kept.`,
    recovered(state),
    state.plan === undefined ? '' : details('The resolved plan: every operation and its undo', planText(state.plan)),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function recovered(state: RunState): string {
  return state.recoveries
    .map(
      (event) =>
        `${endedBefore(state, event) ? 'The run had ended with something still in effect' : 'The runner died'}. Process ${event.pid} of ${safe(event.operator)} took over at ${safe(event.at)} and wrote what follows it.`,
    )
    .join('\n\n');
}

function details(title: string, text: string): string {
  return `<details>\n<summary>${title}</summary>\n\n${fenced(text, 'text')}\n\n</details>`;
}

function planText(plan: Plan): string {
  return [`plan ${plan.hash}`, ...plan.steps.flatMap(stepText)].join('\n');
}

function stepText(step: Step): string[] {
  if (step.kind === 'wait') return ['', `${step.id}  wait ${formatDuration(step.forMs)}`];
  return [
    '',
    `${step.id}  ${step.fault} on ${step.targets.join(', ')} (${step.reversibility})`,
    `    with ${JSON.stringify(step.parameters)}`,
    ...step.notes.map((note) => `    note: ${note}`),
    ...step.operations.flatMap(operationText),
  ];
}

function operationText(operation: Operation): string[] {
  const { stage, id, target, via, purpose, text, sink, undo, when, pointOfNoReturn } = operation;
  const indent = (block: string, mark: string): string => `      ${mark} ${block.replaceAll('\n', '\n        ')}`;
  return [
    '',
    `    ${stage} ${id} on ${target} (${via}${operation.changes ? ', changes' : ', reads'}): ${purpose}`,
    ...(when === undefined ? [] : [`      when: ${when}`]),
    indent(text, '$'),
    ...(sink === undefined ? [] : [indent(sink.text, `| on ${sink.target} $`)]),
    ...(undo === undefined ? [] : [`      undo: ${undo}`]),
    ...(pointOfNoReturn === true ? ['      ---- point of no return: from here on abort means going forward ----'] : []),
  ];
}
