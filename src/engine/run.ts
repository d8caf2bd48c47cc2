/**
 * The run as a small state machine: which phase follows which, one file a phase. The engine decides and records; it prints nothing.
 * Whatever happens after an injection, the table leads to rollback: no phase can throw past it.
 */
import { RunAborted } from '../core/abort.ts';
import { ChaosError, describeError } from '../core/errors.ts';
import type { Outcome, Phase, RollbackState, Verdict } from '../journal/events.ts';
import { tolerant } from '../journal/writer.ts';
import { newRunState, type RunContext, type RunParts } from './context.ts';
import { Monitor } from './monitor.ts';
import { baseline } from './phases/baseline.ts';
import { method } from './phases/method.ts';
import { prepare } from './phases/prepare.ts';
import { recovery } from './phases/recovery.ts';
import { rollback } from './phases/rollback.ts';
import { verdict } from './phases/verdict.ts';

export interface RunResult {
  readonly outcome: Outcome;
  readonly verdict: Verdict;
  readonly rollback: RollbackState;
  readonly exitCode: number;
}

/** Every way ends in the verdict. */
type WorkingPhase = Exclude<Phase, 'verdict'>;

interface Transition {
  readonly run: (context: RunContext) => Promise<'ok' | 'stop'>;
  readonly ok: Phase;
  /** Where a stop, a refusal or an error leads. */
  readonly stop: Phase;
}

const transitions: Readonly<Record<WorkingPhase, Transition>> = {
  prepare: { run: prepare, ok: 'baseline', stop: 'verdict' },
  baseline: { run: baseline, ok: 'method', stop: 'verdict' },
  method: { run: method, ok: 'rollback', stop: 'rollback' },
  rollback: { run: rollback, ok: 'recovery', stop: 'recovery' },
  recovery: { run: recovery, ok: 'verdict', stop: 'verdict' },
};

/** Executes the plan to its end. Never rejects: what went wrong is in the result and in the journal. */
export async function executeRun(parts: RunParts): Promise<RunResult> {
  const decided = (): void => {
    const { reason } = parts.control;
    // Recorded as it is decided; a journal that cannot be written is itself a reason that is known by then.
    if (reason !== undefined) void tolerant(parts.record, () => undefined)({ type: 'abort.decided', reason });
  };
  if (parts.control.signal.aborted) decided();
  else parts.control.signal.addEventListener('abort', decided, { once: true });
  const context: RunContext = { parts, state: newRunState(), monitor: new Monitor(parts) };
  let phase: Phase = 'prepare';
  while (phase !== 'verdict') {
    phase = transitions[phase][await enter(phase, context)];
  }
  await context.monitor.stop();
  const result = await verdict(context);
  await context.monitor.close();
  return result;
}

async function enter(phase: WorkingPhase, context: RunContext): Promise<'ok' | 'stop'> {
  const { parts, state } = context;
  parts.control.phase = phase;
  const record = tolerant(parts.record, () => undefined);
  await record({ type: 'phase.entered', phase });
  try {
    return await transitions[phase].run(context);
  } catch (error) {
    if (error instanceof RunAborted || (parts.control.reason !== undefined && isConsequence(error))) return 'stop';
    const code = error instanceof ChaosError ? error.code : 'CHAOS_INTERNAL';
    const detail = describeError(error);
    // A known obstacle before anything was touched is a refusal, not a failure of the run.
    if (code !== 'CHAOS_INTERNAL' && state.active.length + state.reverted.length === 0) {
      state.refused = detail;
      await record({ type: 'run.refused', detail });
    } else {
      state.failure = { code, detail };
      await record({ type: 'run.errored', code, detail });
    }
    return 'stop';
  }
}

/** A stop ends connections and commands half-way; what they say of it is not the reason of the stop. */
function isConsequence(error: unknown): boolean {
  return error instanceof ChaosError || (error instanceof Error && error.name === 'AbortError');
}
