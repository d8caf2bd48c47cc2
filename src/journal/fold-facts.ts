/** What follows from a run's state: its clocks t0–t9, what is still open, how near each SLO came to its limits. Pure. */
import { satisfies } from '../core/units.ts';
import type { Operation, Plan, PlannedSlo } from '../plan/plan.ts';
import type { Sample } from '../probes/contract.ts';
import { isBad } from '../probes/samples.ts';
import type { EventOf, RollbackState } from './events.ts';
import type { FaultState, OperationRecord, RunState } from './fold-state.ts';

export type Stamp = 't0' | 't1' | 't2' | 't3' | 't6' | 't7' | 't8' | 't9';

/** Milliseconds since the run's start; absent is what did not happen. t4 and t5 (alert, human) are not measured yet. */
export type Stamps = { readonly [S in Stamp]?: number };

/** Faults whose first change may have been sent. */
export function injectedFaults(state: RunState): FaultState[] {
  return [...state.faults.values()].filter((fault) => fault.injecting !== undefined);
}

/** Of these, the ones that nobody has proved gone. */
export function openFaults(state: RunState): FaultState[] {
  return injectedFaults(state).filter((fault) => fault.clean !== true);
}

/** Had the run come to its end before this process took over? Then its runner did not die: it left something in effect. */
export function endedBefore(state: RunState, { seq }: EventOf<'recover.started'>): boolean {
  return state.log.some((event) => event.type === 'run.finished' && event.seq < seq);
}

/** Never better than the proofs: a rollback that calls itself clean with a fault unproved is unknown. */
export function rollbackOf(state: RunState): RollbackState {
  const open = openFaults(state);
  if (open.length === 0) return state.rollback ?? 'clean';
  if (state.rollback === 'incomplete' || open.some((fault) => fault.clean === false)) return 'incomplete';
  return 'unknown';
}

export function stampsOf(state: RunState): Stamps {
  const injected = injectedFaults(state);
  const t0 = least(injected.map((fault) => fault.injecting?.t));
  if (t0 === undefined) return state.abort === undefined ? {} : { t6: state.abort.t };
  const t8 = recoveredAt(state);
  const clean = rollbackOf(state) === 'clean';
  const stamps: { [S in Stamp]?: number | undefined } = {
    t0,
    t1: least(injected.filter((fault) => fault.effective === true).map((fault) => fault.verified?.t)),
    t2: firstBadSample(state, t0),
    t3: least([state.breaches.find((breach) => breach.t >= t0 && breach.level !== 'warning')?.t, tripped(state)]),
    t6: state.abort?.t,
    t7: openFaults(state).length === 0 ? most(injected.map((fault) => fault.reverted?.t)) : undefined,
    t8,
    t9: clean && t8 !== undefined && state.rollbackFinished !== undefined ? Math.max(t8, state.rollbackFinished.t) : undefined,
  };
  return Object.fromEntries(Object.entries(stamps).filter(([, value]) => value !== undefined));
}

/** The abort rule decides as the sample comes in that is one too many. */
function tripped({ abort }: RunState): number | undefined {
  return abort?.reason.kind === 'samples' ? abort.t : undefined;
}

/** Recovery is counted from the last injection, or from the last revert of a fault that only its revert heals. */
function recoveredAt(state: RunState): number | undefined {
  if (state.recovery?.type !== 'recovery.held') return undefined;
  const origins = injectedFaults(state).flatMap((fault) => {
    const healsByRevert = fault.planned?.heals === 'by-revert';
    return healsByRevert ? [fault.injecting?.t, fault.reverted?.t] : [fault.injecting?.t];
  });
  const from = most(origins);
  return from === undefined ? undefined : Math.min(from + state.recovery.sinceMs, state.recovery.t);
}

export interface Interval {
  readonly name: string;
  readonly meaning: string;
  readonly from: Stamp;
  readonly to: Stamp;
  readonly ms: number;
}

const intervals: readonly (readonly [name: string, from: Stamp, to: Stamp, meaning: string])[] = [
  ['time to effect', 't0', 't1', 'injection requested until proved effective'],
  ['time to impact', 't0', 't2', 'injection requested until the first bad sample'],
  ['time to breach', 't2', 't3', 'first bad sample until a severe or fatal level, or the abort rule'],
  ['time to abort', 't3', 't6', 'level or rule reached until the abort was decided'],
  ['time to remove', 't6', 't7', 'abort decided until all faults were proved gone'],
  ['abort latency', 't3', 't7', 'level or rule reached until all faults were proved gone'],
  ['time to recover', 't2', 't8', 'first bad sample until the SLOs were back for good'],
  ['degraded redundancy', 't1', 't9', 'effective until everything was restored'],
  ['exposure', 't0', 't9', 'injection requested until everything was restored'],
];

/** Only the intervals whose both ends happened, in this order; an abort that came before the breach has no abort latency. */
export function intervalsOf(stamps: Stamps, aborted: boolean): Interval[] {
  return intervals.flatMap(([name, from, to, meaning]) => {
    const [start, end] = [stamps[from], stamps[to]];
    if (start === undefined || end === undefined || end < start) return [];
    if (name === 'abort latency' && (!aborted || stamps.t6 === undefined || stamps.t6 < start)) return [];
    return [{ name, meaning, from, to, ms: end - start }];
  });
}

/** When a sample of a probe is bad, by the SLOs on it: each one's severe, else fatal, else warning level. */
export interface SampleLimits {
  /** Longest it may take, ms. */
  readonly slowMs: number | undefined;
  /** What its value must not satisfy. */
  readonly values: readonly NonNullable<PlannedSlo['fatal']>[];
}

export function limitsOf(plan: Plan | undefined, probe: string): SampleLimits {
  const slos = (plan?.slos ?? []).filter((slo) => slo.probe === probe);
  const limits = (unit: PlannedSlo['unit']): NonNullable<PlannedSlo['fatal']>[] =>
    slos.flatMap((slo) => (slo.unit === unit ? (slo.severe ?? slo.fatal ?? slo.warning ?? []) : []));
  return { slowMs: least(limits('duration').map(({ value }) => value)), values: limits('count') };
}

/** Is its value one that an SLO calls bad? */
export function isBeyond({ value }: Sample, { values }: SampleLimits): boolean {
  return value !== undefined && values.some((limit) => satisfies(limit, value));
}

/** Failed, slow or beyond what its value may be, and the target for certain. */
export function isHarm(sample: Sample, limits: SampleLimits): boolean {
  return isBad(sample, limits.slowMs) || isBeyond(sample, limits);
}

/** When the first bad sample of an SLO's probe became known, after `from`. */
function firstBadSample(state: RunState, from: number): number | undefined {
  const probes = new Set(state.plan?.slos.map((slo) => slo.probe));
  return least(
    [...probes].map((probe) => {
      const limits = limitsOf(state.plan, probe);
      return least(
        (state.samples.get(probe) ?? []).map((sample) => (sample.end >= from && isHarm(sample, limits) ? sample.end : undefined)),
      );
    }),
  );
}

export interface Approach {
  readonly slo: PlannedSlo;
  /** The level whose limit is looked at: fatal, else severe, else warning. */
  readonly level: 'fatal' | 'severe' | 'warning' | undefined;
  readonly limit: NonNullable<PlannedSlo['fatal']> | undefined;
  /** The value nearest to (or farthest beyond) the limit since `from`; absent without data. */
  readonly worst: number | undefined;
  readonly crossed: boolean;
}

/** How near an SLO came to its limit from `from` (run time, ms) on. */
export function closestApproach(state: RunState, slo: PlannedSlo, from = 0): Approach {
  const level = (['fatal', 'severe', 'warning'] as const).find((candidate) => slo[candidate] !== undefined);
  const limit = level === undefined ? undefined : slo[level];
  const values = (state.slos.get(slo.name) ?? []).filter((point) => point.t >= from).map((point) => point.value);
  const worst = limit?.operator.startsWith('<') ? least(values) : most(values);
  return { slo, level, limit, worst, crossed: limit !== undefined && worst !== undefined && satisfies(limit, worst) };
}

/** The planned operation behind a record; absent when the plan does not have it. */
export function plannedOperation(state: RunState, record: Pick<OperationRecord, 'step' | 'operation'>): Operation | undefined {
  return state.faults.get(record.step)?.planned?.operations.find((operation) => operation.id === record.operation);
}

/** Where an operation changes something: of a copy, the side that is written. */
export function changedTarget(state: RunState, record: OperationRecord): string {
  return plannedOperation(state, record)?.sink?.target ?? record.target;
}

/** Targets on which a change was begun, in the order they were first touched. */
export function touchedTargets(state: RunState): string[] {
  return [...new Set(state.operations.filter((record) => record.changes).map((record) => changedTarget(state, record)))];
}

/** Targets that the plan may change. */
export function plannedTargets(plan: Plan): string[] {
  const changed = plan.steps.flatMap((step) =>
    step.kind === 'fault'
      ? step.operations.filter((operation) => operation.changes).map((operation) => operation.sink?.target ?? operation.target)
      : [],
  );
  const named = plan.steps.flatMap((step) => (step.kind === 'fault' ? step.targets : []));
  return [...new Set([...named, ...changed])];
}

export function least(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce((best, value) => (value === undefined || (best !== undefined && best <= value) ? best : value), undefined);
}

export function most(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce((best, value) => (value === undefined || (best !== undefined && best >= value) ? best : value), undefined);
}
