/**
 * Finishes what a dead runner left: from its journal alone, on any machine that has it. Reverts every fault whose injection was
 * announced and that was not proved clean, then closes the record. May be repeated; with nothing left it changes nothing.
 */

import { describeError } from '../core/errors.ts';
import type { JsonObject } from '../core/json.ts';
import type { EventOf, JournalEvent, RollbackState } from '../journal/events.ts';
import { tolerant } from '../journal/writer.ts';
import type { FaultStep } from '../plan/plan.ts';
import { newRunState, type RunParts, type RunState } from './context.ts';
import { definitionOf, revertFault } from './faults.ts';
import { worse } from './phases/rollback.ts';

export interface Unreverted {
  readonly step: FaultStep;
  readonly undo: JsonObject;
  readonly marks: Map<string, JsonObject>;
  readonly injectingAt: number;
}

/** The faults of a journal that may still be in effect, oldest first. */
export function unreverted(events: readonly JournalEvent[]): Unreverted[] {
  const started = events.find((event): event is EventOf<'run.started'> => event.type === 'run.started');
  const open = new Map<string, Unreverted>();
  for (const event of events) {
    if (event.type === 'fault.injecting') {
      const step = started?.plan.steps.find((candidate) => candidate.id === event.step);
      if (step?.kind === 'fault') open.set(step.id, { step, undo: event.undo, marks: new Map(), injectingAt: event.t });
    } else if (event.type === 'fault.marked') {
      open.get(event.step)?.marks.set(event.mark, event.data);
    } else if (event.type === 'fault.reverted' && event.clean) {
      open.delete(event.step);
    }
  }
  return [...open.values()];
}

/** Reverts `faults`, newest first, and records the end of the run. Gives the state of the rollback. */
export async function recoverFaults(parts: RunParts, faults: readonly Unreverted[]): Promise<RollbackState> {
  const state = newRunState();
  let rollback: RollbackState = 'clean';
  for (const found of faults.toReversed()) {
    rollback = worse(rollback, await recoverFault(parts, state, found));
  }
  await parts.record({ type: 'rollback.finished', state: rollback });
  return rollback;
}

/** Never rejects: a fault that this version does not know must not keep the others from being reverted. */
async function recoverFault(parts: RunParts, state: RunState, found: Unreverted): Promise<RollbackState> {
  try {
    const fault = { ...found, definition: definitionOf(parts, found.step) };
    const check = await revertFault(parts, state, fault, AbortSignal.timeout(parts.plan.timeouts.rollbackMs));
    if (check === undefined) return 'unknown';
    return check.clean ? 'clean' : 'incomplete';
  } catch (error) {
    await tolerant(parts.record, () => undefined)({ type: 'fault.revert-failed', step: found.step.id, detail: describeError(error) });
    return 'unknown';
  }
}
