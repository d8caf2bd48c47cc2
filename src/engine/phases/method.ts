/** The ordered steps: inject, verify, hold, wait. Every wait ends at once when the run is stopped. */

import { RunAborted } from '../../core/abort.ts';
import { assertNever } from '../../core/assert-never.ts';
import { ChaosError } from '../../core/errors.ts';
import type { FaultStep } from '../../plan/plan.ts';
import { now, type RunContext } from '../context.ts';
import { injectFault, lookAgain, revertFault } from '../faults.ts';

export async function method(context: RunContext): Promise<'ok' | 'stop'> {
  const { parts } = context;
  const { control, clock, plan } = parts;
  const limitMs = plan.limits.maxDurationMs;
  const deadline = setTimeout(() => control.stop({ kind: 'deadline', limitMs }), limitMs);
  try {
    for (const step of plan.steps) {
      switch (step.kind) {
        case 'wait':
          await parts.record({ type: 'step.waiting', step: step.id, forMs: step.forMs });
          await clock.sleep(step.forMs, control.signal);
          break;
        case 'fault':
          if (!(await faultStep(context, step))) return 'stop';
          break;
        default:
          assertNever(step);
      }
    }
    for (const fault of context.state.active) await lookAgain(parts, fault);
    return 'ok';
  } finally {
    clearTimeout(deadline);
  }
}

async function faultStep(context: RunContext, step: FaultStep): Promise<boolean> {
  const { parts, state, monitor } = context;
  await askGuards(context);
  if (step.expectedImpact !== undefined) monitor.expectImpact(step.expectedImpact.slos, step.expectedImpact.forMs);
  if (!(await injectFault(parts, state, step))) return false;
  if (step.durationMs === undefined) return true;
  await parts.clock.sleep(step.durationMs, parts.control.signal);
  const fault = state.active.at(-1);
  if (fault === undefined) return true;
  await lookAgain(parts, fault);
  const check = await revertFault(parts, state, fault, AbortSignal.timeout(parts.plan.timeouts.rollbackMs));
  if (check?.clean !== true) {
    // Steps that were never tried must not pass for a method that held.
    parts.control.stop({ kind: 'fault', fault: step.fault, detail: 'not clean after its duration' });
    return false;
  }
  state.active.pop();
  state.reverted.push(fault);
  if (fault.definition.heals === 'by-revert') state.recoveryFrom = now(parts);
  return true;
}

async function askGuards({ parts, state }: RunContext): Promise<void> {
  for (const answer of await parts.recheck()) {
    await parts.record({ type: 'guard.answered', answer });
    if (answer.allowed) continue;
    if (state.active.length + state.reverted.length === 0) throw new ChaosError('CHAOS_REFUSED', `${answer.guard}: ${answer.reason}`);
    const reason = { kind: 'guard', guard: answer.guard, detail: answer.reason } as const;
    parts.control.stop(reason);
    throw new RunAborted(reason);
  }
}
