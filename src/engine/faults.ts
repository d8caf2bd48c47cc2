/** Injecting and reverting one fault: the only places that call a fault's changing half. */

import { RunAborted } from '../core/abort.ts';
import { ChaosError, describeError } from '../core/errors.ts';
import type { FaultDefinition, RevertCheck } from '../faults/contract.ts';
import { tolerant } from '../journal/writer.ts';
import type { FaultStep } from '../plan/plan.ts';
import { faultContext, type InjectedFault, now, type RunParts, type RunState } from './context.ts';

export function definitionOf(parts: Pick<RunParts, 'faults'>, step: FaultStep): FaultDefinition {
  const definition = parts.faults.get(step.fault);
  if (definition === undefined) throw new ChaosError('CHAOS_PLAN_DRIFT', `this version knows no fault ${step.fault}`);
  return definition;
}

/** Injects and verifies. The undo record is on disk before the first change. Gives false when the fault did not take effect. */
export async function injectFault(parts: RunParts, state: RunState, step: FaultStep): Promise<boolean> {
  const definition = definitionOf(parts, step);
  const { signal } = parts.control;
  const marks: InjectedFault['marks'] = new Map();
  const context = faultContext(parts, { step, marks }, { signal, undoing: false });
  // Read again: the state recorded in prepare is a baseline old by now.
  const first = state.active.length + state.reverted.length === 0;
  const undo = first ? await definition.prepare(context) : await stage(parts, step, 'prepare', () => definition.prepare(context));
  signal.throwIfAborted();
  const fault: InjectedFault = { step, definition, undo, marks, injectingAt: now(parts) };
  state.active.push(fault);
  state.recoveryFrom = fault.injectingAt;
  try {
    await parts.record({ type: 'fault.injecting', step: step.id, undo });
  } catch (error) {
    // Nothing was sent yet: without a record of the way back there is no injection, and nothing to revert.
    state.active.pop();
    throw error;
  }
  await stage(parts, step, 'inject', () => definition.inject(context, undo));
  await parts.record({ type: 'fault.injected', step: step.id });
  const effect = await stage(parts, step, 'verify', () => definition.verify(context, undo));
  const measures = effect.measures ?? {};
  await parts.record({ type: 'fault.verified', step: step.id, effective: effect.effective, evidence: [...effect.evidence], measures });
  state.measures.set(step.id, { ...state.measures.get(step.id), ...measures });
  state.effective = (state.effective ?? true) && effect.effective;
  return effect.effective;
}

/** Was it in effect to the end of its time? Somebody may have taken it away meanwhile. What heals by itself is meant to be gone. */
export async function lookAgain(parts: RunParts, fault: InjectedFault): Promise<void> {
  const { step, definition, undo } = fault;
  if (definition.heals === 'by-itself') return;
  const context = faultContext(parts, fault, { signal: parts.control.signal, undoing: false });
  const { effective, evidence } = await stage(parts, step, 'verify', () => definition.verify(context, undo));
  if (!effective) await parts.record({ type: 'fault.lapsed', step: step.id, evidence: [...evidence] });
}

/** A fault that cannot be injected or verified stops the run through the one abort path. */
async function stage<T>(parts: RunParts, step: FaultStep, name: 'prepare' | 'inject' | 'verify', work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RunAborted) throw error;
    const detail = describeError(error);
    await tolerant(parts.record, () => undefined)({ type: 'fault.failed', step: step.id, stage: name, detail });
    const reason = { kind: 'fault', fault: step.fault, detail } as const;
    parts.control.stop(reason);
    throw new RunAborted(parts.control.reason ?? reason);
  }
}

const revertAttempts = 3;
/** A target that cannot be reached for a while (an SSH server that restarts) is asked again this long. */
const unreachableForMs = 60_000;

/** Reverts and reads the state back, up to three times, longer while the target cannot be reached, and within `signal`; never rejects. */
export async function revertFault(
  parts: RunParts,
  state: RunState,
  fault: InjectedFault,
  signal: AbortSignal,
): Promise<RevertCheck | undefined> {
  const { step, definition, undo } = fault;
  const record = tolerant(parts.record, () => undefined);
  const context = faultContext(parts, fault, { signal, undoing: true });
  await record({ type: 'fault.reverting', step: step.id });
  let check: RevertCheck | undefined;
  const giveUpAt = parts.clock.monotonic() + unreachableForMs;
  for (let attempt = 1; !signal.aborted; attempt++) {
    let unreachable = false;
    try {
      const seen = await definition.revert(context, undo);
      check = await definition.verifyReverted(context, undo, seen);
      if (check.clean) break;
    } catch (error) {
      unreachable = isUnreachable(error);
      await record({ type: 'fault.revert-failed', step: step.id, detail: describeError(error) });
    }
    if (attempt >= revertAttempts && !(unreachable && parts.clock.monotonic() < giveUpAt)) break;
    await parts.clock.sleep(Math.min(1_000 * attempt, 5_000), signal).catch(() => undefined);
  }
  if (check !== undefined) {
    const measures = check.measures ?? {};
    state.measures.set(step.id, { ...state.measures.get(step.id), ...measures });
    await record({
      type: 'fault.reverted',
      step: step.id,
      clean: check.clean,
      evidence: [...check.evidence],
      findings: [...check.findings],
      measures,
    });
  }
  fault.revertedAt = now(parts);
  return check;
}

function isUnreachable(error: unknown): boolean {
  // Of several targets one is enough: the others are reverted again, which changes nothing.
  if (error instanceof AggregateError && error.errors.some(isUnreachable)) return true;
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof ChaosError && (cause.code === 'CHAOS_SSH_CONNECT' || cause.code === 'CHAOS_TARGET_LOST')) return true;
  }
  return false;
}
