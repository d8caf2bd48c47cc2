/** What the phases of one run share: its parts, handed in from outside, and the little state that they pass on. */
import type { Clock } from '../core/clock.ts';
import type { JsonObject } from '../core/json.ts';
import type { FaultContext, FaultDefinition, Measures } from '../faults/contract.ts';
import type { Outcome, RollbackState } from '../journal/events.ts';
import { type Recorder, tolerant } from '../journal/writer.ts';
import type { FaultStep, GuardAnswer, Plan } from '../plan/plan.ts';
import type { LedgerResult, ProbeDefinition } from '../probes/contract.ts';
import type { StartSampling } from '../probes/sampling/contract.ts';
import type { RunControl } from './control.ts';
import type { Leases } from './leases.ts';
import type { Monitor } from './monitor.ts';
import { PlannedOperations } from './operations.ts';
import type { Sessions } from './sessions.ts';

/** Late resolving of secret references; nothing that it gives back may be recorded. */
export interface Secrets {
  resolve(text: string): string;
  resolveDeep<T>(value: T): T;
}

export interface RunParts {
  readonly runId: string;
  readonly plan: Plan;
  readonly record: Recorder;
  /** `clock.monotonic()` at the run's start. */
  readonly origin: number;
  readonly clock: Clock;
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly secrets: Secrets;
  readonly control: RunControl;
  readonly faults: ReadonlyMap<string, FaultDefinition>;
  readonly probes: ReadonlyMap<string, ProbeDefinition>;
  readonly startSampling: StartSampling;
  /** Guards that can change between plan and injection. */
  recheck(): Promise<readonly GuardAnswer[]>;
}

/** A fault whose undo is on disk: from here on it must be reverted. */
export interface InjectedFault {
  readonly step: FaultStep;
  readonly definition: FaultDefinition;
  readonly undo: JsonObject;
  readonly marks: Map<string, JsonObject>;
  /** Run time, ms. */
  readonly injectingAt: number;
  revertedAt?: number;
}

export interface RunState {
  readonly active: InjectedFault[];
  /** Faults that were reverted already, with their end. */
  readonly reverted: InjectedFault[];
  readonly measures: Map<string, Measures>;
  effective?: boolean;
  steadyBefore?: boolean;
  refused?: string;
  failure?: { readonly code: string; readonly detail: string };
  rollback: RollbackState;
  /** What recovery is counted from, run time in ms, once something was injected. */
  recoveryFrom?: number;
  recovered?: { readonly sinceMs: number } | { readonly failed: string };
  readonly ledgers: LedgerResult[];
  readonly unsettled: { readonly probe: string; readonly detail: string }[];
}

export interface RunContext {
  readonly parts: RunParts;
  readonly state: RunState;
  readonly monitor: Monitor;
}

export function newRunState(): RunState {
  return { active: [], reverted: [], measures: new Map(), rollback: 'clean', ledgers: [], unsettled: [] };
}

/** Milliseconds since the run's start. */
export function now(parts: RunParts): number {
  return parts.clock.monotonic() - parts.origin;
}

export function outcomeOf(context: RunContext): Outcome {
  const { state, parts } = context;
  if (state.refused !== undefined) return 'refused';
  if (state.failure !== undefined) return 'errored';
  const { reason } = parts.control;
  if (reason === undefined) return 'completed';
  return reason.kind === 'internal' ? 'errored' : 'aborted';
}

/** The fault's view of the run. For undoing, `record` should be tolerant: a full disk must not stop a revert. */
export function faultContext(
  parts: RunParts,
  fault: Pick<InjectedFault, 'step' | 'marks'>,
  options: { readonly signal: AbortSignal; readonly undoing: boolean },
): FaultContext {
  const { step, marks } = fault;
  const record = options.undoing ? tolerant(parts.record, () => undefined) : parts.record;
  return {
    step,
    clock: parts.clock,
    signal: options.signal,
    marks,
    operations: new PlannedOperations({
      runId: parts.runId,
      step,
      sessions: parts.sessions,
      leases: parts.leases,
      record,
      clock: parts.clock,
      signal: options.signal,
      secret: (text) => parts.secrets.resolve(text),
    }),
    mark: async (name, data = {}) => {
      marks.set(name, data);
      const passes = step.operations.some((operation) => operation.pointOfNoReturn === true && operation.stage === 'inject');
      await record({ type: 'fault.marked', step: step.id, mark: name, data, pointOfNoReturn: passes && name === 'promoting' });
    },
  };
}
