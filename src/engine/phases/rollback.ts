/**
 * Reverts every fault that is still active, newest first, whatever happened before. Each revert has a time limit of its own, so that one
 * that hangs does not take the time of the others, and none sees the signal that stopped the run. All reverts are tried; one that cannot
 * be proved makes the whole rollback incomplete or unknown.
 */
import type { RollbackState } from '../../journal/events.ts';
import { tolerant } from '../../journal/writer.ts';
import { now, type RunContext } from '../context.ts';
import { revertFault } from '../faults.ts';

export async function rollback(context: RunContext): Promise<'ok' | 'stop'> {
  const { parts, state } = context;
  for (let fault = state.active.at(-1); fault !== undefined; fault = state.active.at(-1)) {
    const check = await revertFault(parts, state, fault, AbortSignal.timeout(parts.plan.timeouts.rollbackMs));
    state.rollback = worse(state.rollback, check === undefined ? 'unknown' : check.clean ? 'clean' : 'incomplete');
    state.active.pop();
    state.reverted.push(fault);
    if (fault.definition.heals === 'by-revert') state.recoveryFrom = now(parts);
  }
  await tolerant(parts.record, () => undefined)({ type: 'rollback.finished', state: state.rollback });
  return state.rollback === 'clean' ? 'ok' : 'stop';
}

const order: readonly RollbackState[] = ['clean', 'unknown', 'incomplete'];

/** The worse of two states: incomplete beats unknown beats clean. */
export function worse(a: RollbackState, b: RollbackState): RollbackState {
  return order.indexOf(a) >= order.indexOf(b) ? a : b;
}
