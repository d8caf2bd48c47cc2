/** The steps of a plan, operation by operation, with the line after which there is no way back. */
import { cleanText } from '../core/text.ts';
import { formatDuration } from '../core/units.ts';
import { oneLine } from '../journal/fold-words.ts';
import type { FaultStep, Operation, Step } from '../plan/plan.ts';
import type { Style } from './style.ts';

const stageTitles: readonly (readonly [stage: Operation['stage'], title: string])[] = [
  ['prepare', 'prepare: reads only; refuses what could not be undone'],
  ['inject', 'inject'],
  ['verify', 'verify: is it in effect?'],
  ['revert', 'revert'],
  ['verify-reverted', 'verify that it is gone'],
];

export function renderStep(step: Step, style: Style): string[] {
  if (step.kind === 'wait') return [`  ${style('emphasis', step.id)}  wait ${formatDuration(step.forMs)}`];
  return [...stepHead(step, style), ...stageTitles.flatMap(([stage, title]) => renderStage(step, stage, title, style)), ''];
}

/** Every change in a line, in the order of the run: for the reader who wants to know what will be hit before reading how. */
export function outline(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if (step.kind === 'wait') return [`  ${step.id}  wait ${formatDuration(step.forMs)}`];
    const changes = step.operations.filter((operation) => operation.changes);
    const width = Math.max(0, ...changes.map(({ target }) => target.length));
    return changes.map(({ stage, target, purpose, when, pointOfNoReturn }) => {
      const condition = when === undefined ? '' : ` (${oneLine(when)})`;
      const mark = pointOfNoReturn === true ? ', POINT OF NO RETURN' : '';
      return `  ${step.id}  ${stage.padEnd(6)}  ${target.padEnd(width)}  ${oneLine(purpose)}${condition}${mark}`;
    });
  });
}

function stepHead(step: FaultStep, style: Style): string[] {
  const heals = step.heals === 'by-itself' ? 'must heal by itself' : 'heals by its revert';
  const parameters = Object.entries(step.parameters).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const fact = (text: string): string => `      ${oneLine(text)}`;
  return [
    `  ${style('emphasis', `${step.id}  ${step.fault} on ${step.targets.join(', ')}`)}  (${step.reversibility}; ${heals})`,
    ...(parameters.length === 0 ? [] : [fact(`with ${parameters.join(', ')}`)]),
    ...(step.durationMs === undefined
      ? [fact('stays until the rollback')]
      : [fact(`for ${formatDuration(step.durationMs)}, then reverted at once`)]),
    ...step.expectations.map(({ measure, comparison, source }) =>
      fact(`expects ${measure} ${comparison.text} (from ${source === 'fault' ? 'the fault' : source})`),
    ),
    ...(step.expectedImpact === undefined
      ? []
      : [
          fact(
            `announced impact: ${step.expectedImpact.slos.join(', ')} may be fatal for ${formatDuration(step.expectedImpact.forMs)} without an abort`,
          ),
        ]),
    ...step.notes.map((note) => style('warning', fact(`note: ${note}`))),
  ];
}

function renderStage(step: FaultStep, stage: Operation['stage'], title: string, style: Style): string[] {
  const operations = step.operations.filter((operation) => operation.stage === stage);
  if (operations.length === 0) return [];
  return [`    ${style('emphasis', title)}`, ...operations.flatMap((operation) => renderOperation(operation, style))];
}

function renderOperation(operation: Operation, style: Style): string[] {
  const { target, via, purpose, text, sink, undo, when, changes, pointOfNoReturn, timeoutMs } = operation;
  const word = changes ? style('change', 'change') : style('muted', 'read  ');
  const command = (shown: string, mark: string): string[] => {
    // Commands stay whole, line breaks too: what is shown is what is run.
    const lines = cleanText(shown).split('\n');
    return lines.map((line, index) => `               ${index === 0 ? style('muted', mark) : ' '.repeat(mark.length)} ${line}`.trimEnd());
  };
  return [
    `      ${word} ${target}  ${oneLine(purpose)} ${style('muted', `(${via}, within ${formatDuration(timeoutMs)})`)}`,
    ...(when === undefined ? [] : [`             ${style('muted', 'when')} ${oneLine(when)}`]),
    ...command(text, via === 'sql' ? '>' : '$'),
    ...(sink === undefined ? [] : command(sink.text, `| ${sink.target} $`)),
    ...(undo === undefined ? [] : [`             ${style('good', 'undo')} ${oneLine(undo)}`]),
    ...(pointOfNoReturn === true ? [style('bad', '      ──── point of no return: from here on, abort means going forward ────')] : []),
  ];
}
