/**
 * Folds a journal into the state of its run, one event at a time. Any prefix folds, because a runner may die after any line; nothing is
 * made up for what did not happen.
 */
import { assertNever } from '../core/assert-never.ts';
import type { EventOf, JournalEvent } from './events.ts';
import { applyFault, faultOf } from './fold-fault.ts';
import { type Moment, newRunState, type RunState } from './fold-state.ts';

export { newRunState, type RunState } from './fold-state.ts';

export function foldRun(events: Iterable<JournalEvent>): RunState {
  const state = newRunState();
  for (const event of events) applyEvent(state, event);
  return state;
}

/** Adds `event` to `state`, in place, and gives it back. */
export function applyEvent(state: RunState, event: JournalEvent): RunState {
  state.started ??= moment(event);
  state.last = moment(event);
  if (event.type !== 'probe.sampled' && event.type !== 'slo.measured') state.log.push(event);
  switch (event.type) {
    case 'run.started':
    case 'phase.entered':
    case 'guard.answered':
    case 'target.connected':
    case 'target.lost':
    case 'run.refused':
    case 'run.errored':
    case 'recover.started':
    case 'run.finished':
      applyCourse(state, event);
      break;
    case 'probe.started':
    case 'probe.sampled':
    case 'prober.invalid':
    case 'slo.measured':
    case 'slo.breached':
    case 'slo.cleared':
    case 'baseline.held':
    case 'baseline.failed':
    case 'abort.calibrated':
    case 'ledger.settled':
    case 'ledger.unknown':
      applyMeasurement(state, event);
      break;
    case 'operation.running':
    case 'operation.finished':
      applyOperation(state, event);
      break;
    case 'fault.prepared':
    case 'fault.injecting':
    case 'fault.marked':
    case 'fault.injected':
    case 'fault.verified':
    case 'fault.lapsed':
    case 'fault.failed':
    case 'fault.reverting':
    case 'fault.reverted':
    case 'fault.revert-failed':
      applyFault(state, event);
      break;
    case 'step.waiting':
    case 'abort.decided':
    case 'rollback.finished':
    case 'recovery.held':
    case 'recovery.failed':
    case 'verdict.reached':
      applyEnding(state, event);
      break;
    default:
      return assertNever(event);
  }
  return state;
}

type CourseEvent = EventOf<
  | 'run.started'
  | 'phase.entered'
  | 'guard.answered'
  | 'target.connected'
  | 'target.lost'
  | 'run.refused'
  | 'run.errored'
  | 'recover.started'
  | 'run.finished'
>;

function applyCourse(state: RunState, event: CourseEvent): void {
  switch (event.type) {
    case 'run.started':
      applyStart(state, event);
      break;
    case 'phase.entered':
      endPhase(state, event.t);
      state.phases.push({ phase: event.phase, ...moment(event) });
      break;
    case 'guard.answered':
      state.guards.push(event.answer);
      break;
    case 'target.connected':
      state.connected.add(event.target);
      break;
    case 'target.lost':
      state.connected.delete(event.target);
      state.lost.push({ target: event.target, detail: event.detail, t: event.t });
      break;
    case 'run.refused':
      state.refused = event.detail;
      break;
    case 'run.errored':
      state.error = { code: event.code, detail: event.detail };
      break;
    case 'recover.started':
      state.recoveries.push(event);
      break;
    case 'run.finished':
      endPhase(state, event.t);
      state.finished = { exitCode: event.exitCode, ...moment(event) };
      break;
    default:
      assertNever(event);
  }
}

function applyStart(state: RunState, event: EventOf<'run.started'>): void {
  const { run, plan, version, operator, machine, pid, lab } = event;
  Object.assign(state, { run, plan, version, operator, machine, pid, ...(lab === undefined ? {} : { lab }) });
  for (const step of plan.steps) if (step.kind === 'fault') faultOf(state, step.id);
}

function endPhase(state: RunState, t: number): void {
  const open = state.phases.at(-1);
  if (open !== undefined) open.endT ??= t;
}

type MeasurementEvent = EventOf<
  | 'probe.started'
  | 'probe.sampled'
  | 'prober.invalid'
  | 'slo.measured'
  | 'slo.breached'
  | 'slo.cleared'
  | 'baseline.held'
  | 'baseline.failed'
  | 'abort.calibrated'
  | 'ledger.settled'
  | 'ledger.unknown'
>;

function applyMeasurement(state: RunState, event: MeasurementEvent): void {
  switch (event.type) {
    case 'probe.started':
      listIn(state.samples, event.probe);
      break;
    case 'probe.sampled': {
      // Not spread into `push`: a batch may be longer than the argument list may be.
      const samples = listIn(state.samples, event.probe);
      for (const sample of event.samples) samples.push(sample);
      break;
    }
    case 'prober.invalid':
      state.invalid.push(event);
      break;
    case 'slo.measured':
      listIn(state.slos, event.slo).push({ t: event.t, value: event.value, samples: event.samples });
      state.levels.set(event.slo, event.level);
      break;
    case 'slo.breached':
      state.breaches.push(event);
      state.levels.set(event.slo, event.level);
      break;
    case 'slo.cleared':
      state.levels.set(event.slo, 'ok');
      break;
    case 'baseline.held':
      state.baseline = { held: true, detail: '' };
      break;
    case 'baseline.failed':
      state.baseline = { held: false, detail: event.detail };
      break;
    case 'abort.calibrated':
      state.abortRules = event.rules;
      break;
    case 'ledger.settled':
      state.ledgers.push(event.result);
      break;
    case 'ledger.unknown':
      state.unsettled.push({ probe: event.probe, detail: event.detail });
      break;
    default:
      assertNever(event);
  }
}

function applyOperation(state: RunState, event: EventOf<'operation.running' | 'operation.finished'>): void {
  if (event.type === 'operation.running') {
    const { step, operation, target, via, text, changes } = event;
    state.operations.push({ step, operation, target, via, text, changes, ...moment(event) });
    return;
  }
  const open = state.operations.findLast(
    (record) => record.step === event.step && record.operation === event.operation && record.end === undefined,
  );
  if (open !== undefined) open.end = { t: event.t, ok: event.ok, ms: event.ms, detail: event.detail };
}

type EndingEvent = EventOf<
  'step.waiting' | 'abort.decided' | 'rollback.finished' | 'recovery.held' | 'recovery.failed' | 'verdict.reached'
>;

function applyEnding(state: RunState, event: EndingEvent): void {
  switch (event.type) {
    case 'step.waiting':
      break;
    case 'abort.decided':
      // The first reason wins, here as in the engine.
      state.abort ??= event;
      break;
    case 'rollback.finished':
      state.rollback = event.state;
      state.rollbackFinished = moment(event);
      break;
    case 'recovery.held':
    case 'recovery.failed':
      state.recovery = event;
      break;
    case 'verdict.reached': {
      const { outcome, verdict, rollback, clauses, because } = event;
      state.judgement = { outcome, verdict, rollback, clauses, because };
      state.rollback = rollback;
      break;
    }
    default:
      assertNever(event);
  }
}

function listIn<T>(lists: Map<string, T[]>, key: string): T[] {
  const known = lists.get(key);
  if (known !== undefined) return known;
  const list: T[] = [];
  lists.set(key, list);
  return list;
}

function moment(event: JournalEvent): Moment {
  return { at: event.at, t: event.t };
}
