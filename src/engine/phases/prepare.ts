/** Reads only: opens the connections, asks the guards again, and lets every fault say whether it could be undone. */
import { ChaosError } from '../../core/errors.ts';
import { formatDuration } from '../../core/units.ts';
import type { FaultStep } from '../../plan/plan.ts';
import { faultContext, type RunContext } from '../context.ts';
import { definitionOf } from '../faults.ts';

export async function prepare(context: RunContext): Promise<'ok' | 'stop'> {
  const { parts } = context;
  const { plan, control, sessions } = parts;
  await refuseByGuards(context);
  const targets = plan.hosts.map((host) => host.id);
  await within(plan.timeouts.connectMs, 'connecting', control.signal, (signal) => sessions.open(targets, signal));
  for (const host of plan.hosts)
    await parts.record({ type: 'target.connected', target: host.id, ms: Math.round(parts.clock.monotonic() - parts.origin) });
  await within(plan.timeouts.prepareMs, 'preparing', control.signal, async (signal) => {
    for (const step of faultSteps(plan.steps)) {
      const undo = await definitionOf(parts, step).prepare(faultContext(parts, { step, marks: new Map() }, { signal, undoing: false }));
      await parts.record({ type: 'fault.prepared', step: step.id, undo });
    }
  });
  return 'ok';
}

/** Nothing was changed yet, so a limit that passes is a refusal like any other obstacle. */
async function within(limitMs: number, what: string, stop: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const limit = AbortSignal.timeout(Math.ceil(limitMs));
  try {
    await work(AbortSignal.any([stop, limit]));
  } catch (cause) {
    if (!limit.aborted || stop.aborted) throw cause;
    throw new ChaosError('CHAOS_REFUSED', `${what} took longer than ${formatDuration(limitMs)}`, { cause });
  }
}

async function refuseByGuards({ parts }: RunContext): Promise<void> {
  const refusals: string[] = [];
  for (const answer of parts.plan.guards) {
    await parts.record({ type: 'guard.answered', answer });
    if (!answer.allowed) refusals.push(`${answer.guard}: ${answer.reason}${answer.remedy === undefined ? '' : ` (${answer.remedy})`}`);
  }
  if (refusals.length > 0) throw new ChaosError('CHAOS_REFUSED', refusals.join('; '));
}

function faultSteps(steps: RunContext['parts']['plan']['steps']): FaultStep[] {
  return steps.filter((step) => step.kind === 'fault');
}
