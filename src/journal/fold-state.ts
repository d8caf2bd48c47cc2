/** What a journal says about a run, as plain data: the one thing that reports, views, status and recovery look at. */
import type { JsonObject } from '../core/json.ts';
import type { FaultStep, GuardAnswer, Plan } from '../plan/plan.ts';
import type { LedgerResult, Sample } from '../probes/contract.ts';
import type { CalibratedRule, Clause, EventOf, JournalEvent, Outcome, Phase, RollbackState, Verdict } from './events.ts';

/** A moment: UTC for people, `t` in milliseconds since the run's start for intervals. */
export interface Moment {
  readonly at: string;
  readonly t: number;
}

export interface PhaseSpan extends Moment {
  readonly phase: Phase;
  /** Absent while the phase lasts, or when the runner died in it. */
  endT?: number;
}

/** `failed`: an injection or a revert that went wrong, or a revert that was not found clean. */
export type FaultStage = 'planned' | 'prepared' | 'injecting' | 'injected' | 'verified' | 'reverting' | 'reverted' | 'failed';

export interface FaultState {
  /** The step's id. */
  readonly step: string;
  /** The step of the plan; absent when the journal names a step that the plan does not have. */
  readonly planned: FaultStep | undefined;
  stage: FaultStage;
  /** As recorded last; what a revert works from. */
  undo?: JsonObject;
  /** The first change may have been sent from here on. */
  injecting?: Moment;
  injected?: Moment;
  verified?: Moment;
  reverting?: Moment;
  /** The last check of a revert, clean or not. */
  reverted?: Moment;
  /** Did it take effect? Absent while unknown. */
  effective?: boolean;
  /** What was read at the end of its time when it was not in effect any more. */
  lapsed?: readonly string[];
  /** Did the last check find it gone? Absent while unknown. */
  clean?: boolean;
  /** What was read to know that it is in effect. */
  evidence: readonly string[];
  /** What was read back after the revert. */
  proof: readonly string[];
  findings: readonly string[];
  failure?: { readonly stage: 'prepare' | 'inject' | 'verify'; readonly detail: string };
  /** Details of the attempts to revert that failed, oldest first. */
  readonly revertFailures: string[];
  readonly marks: Mark[];
  /** Abort means going forward. */
  pastNoReturn: boolean;
  measures: Readonly<Record<string, number>>;
}

export interface Mark extends Moment {
  readonly step: string;
  readonly mark: string;
  readonly data: JsonObject;
  readonly pointOfNoReturn: boolean;
}

export interface OperationRecord extends Moment {
  readonly step: string;
  readonly operation: string;
  readonly target: string;
  readonly via: string;
  readonly text: string;
  readonly changes: boolean;
  /** Absent while it runs, or when nobody saw its end. */
  end?: { readonly t: number; readonly ok: boolean; readonly ms: number; readonly detail: string };
}

export interface SloPoint {
  readonly t: number;
  /** In the SLO's unit; absent where there was no data. */
  readonly value: number | undefined;
  readonly samples: number;
}

export type Breach = EventOf<'slo.breached'>;
export type SloLevel = EventOf<'slo.measured'>['level'];

export interface Judgement {
  readonly outcome: Outcome;
  readonly verdict: Verdict;
  readonly rollback: RollbackState;
  readonly clauses: readonly Clause[];
  readonly because: string;
}

export interface RunState {
  run?: string;
  plan?: Plan;
  /** Of chaos itself. */
  version?: string;
  operator?: string;
  machine?: string;
  pid?: number;
  lab?: { readonly id: string; readonly owned: boolean };
  started?: Moment;
  /** Of the last event. */
  last?: Moment;
  readonly phases: PhaseSpan[];
  /** By step id, in the plan's order. */
  readonly faults: Map<string, FaultState>;
  readonly marks: Mark[];
  readonly operations: OperationRecord[];
  readonly connected: Set<string>;
  readonly lost: { readonly target: string; readonly detail: string; readonly t: number }[];
  readonly guards: GuardAnswer[];
  /** By probe, in the order they became known. */
  readonly samples: Map<string, Sample[]>;
  /** Where the prober could not vouch for what it measured. */
  readonly invalid: EventOf<'prober.invalid'>[];
  /** By SLO. */
  readonly slos: Map<string, SloPoint[]>;
  readonly levels: Map<string, SloLevel>;
  readonly breaches: Breach[];
  baseline?: { readonly held: boolean; readonly detail: string };
  /** Absent: it was off, or the run did not get that far. */
  abortRules?: readonly CalibratedRule[];
  abort?: EventOf<'abort.decided'>;
  /** The newest statement; a recovery may replace what the run itself said. */
  rollback?: RollbackState;
  rollbackFinished?: Moment;
  recovery?: EventOf<'recovery.held'> | EventOf<'recovery.failed'>;
  readonly ledgers: LedgerResult[];
  readonly unsettled: { readonly probe: string; readonly detail: string }[];
  judgement?: Judgement;
  refused?: string;
  error?: { readonly code: string; readonly detail: string };
  /** Processes that took over after the runner had died. */
  readonly recoveries: EventOf<'recover.started'>[];
  finished?: { readonly exitCode: number } & Moment;
  /** Every event but samples and SLO values, for timelines. */
  readonly log: JournalEvent[];
}

export function newRunState(): RunState {
  return {
    phases: [],
    faults: new Map(),
    marks: [],
    operations: [],
    connected: new Set(),
    lost: [],
    guards: [],
    samples: new Map(),
    invalid: [],
    slos: new Map(),
    levels: new Map(),
    breaches: [],
    ledgers: [],
    unsettled: [],
    recoveries: [],
    log: [],
  };
}
