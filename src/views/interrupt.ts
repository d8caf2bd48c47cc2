/** What Ctrl-C does, said before it is pressed: for the plan as a whole, and for the moment a run is in. */
import { openFaults } from '../journal/fold-facts.ts';
import type { RunState } from '../journal/fold-state.ts';
import { faultName, oneLine } from '../journal/fold-words.ts';
import type { Plan } from '../plan/plan.ts';

export function interruptInPlan(plan: Plan): string[] {
  const noReturn = plan.steps.some(
    (step) => step.kind === 'fault' && step.operations.some((operation) => operation.pointOfNoReturn === true),
  );
  return [
    'before injection: stops; nothing was changed.',
    'after injection: stops the method and rolls everything back, newest first; the rollback itself is not stopped.',
    ...(noReturn ? ['after the point of no return: goes forward instead of back, then restores what is missing.'] : []),
    'a second Ctrl-C shows what would be left behind; a third leaves at once, then `chaos recover` finishes the rollback.',
  ];
}

/** One line for the live view. */
export function interruptNow(state: RunState): string {
  const phase = state.phases.at(-1)?.phase;
  if (state.finished !== undefined || phase === 'verdict') return 'nothing is left to stop';
  if (phase === 'recovery') return 'ends waiting for the SLOs; everything is undone already';
  const open = openFaults(state);
  if (phase === 'rollback') return 'the rollback goes on; a second one shows what would be left behind';
  if (open.length === 0) return 'stops the run; nothing is injected';
  const names = oneLine(open.map((fault) => faultName(state, fault.step)).join(', '));
  if (open.some((fault) => fault.pastNoReturn)) return `goes forward (past the point of no return), then restores ${names}`;
  return `aborts and reverts ${names}`;
}
