/** The life of one fault, as its events tell it. */
import { assertNever } from '../core/assert-never.ts';
import type { EventOf, JournalEvent } from './events.ts';
import type { FaultState, Mark, Moment, RunState } from './fold-state.ts';

type FaultEvent = EventOf<
  | 'fault.prepared'
  | 'fault.injecting'
  | 'fault.marked'
  | 'fault.injected'
  | 'fault.verified'
  | 'fault.lapsed'
  | 'fault.failed'
  | 'fault.reverting'
  | 'fault.reverted'
  | 'fault.revert-failed'
>;

export function applyFault(state: RunState, event: FaultEvent): void {
  const fault = faultOf(state, event.step);
  switch (event.type) {
    case 'fault.prepared':
      fault.stage = 'prepared';
      fault.undo = event.undo;
      break;
    case 'fault.injecting':
      fault.stage = 'injecting';
      fault.undo = event.undo;
      fault.injecting ??= moment(event);
      delete fault.clean;
      break;
    case 'fault.marked':
      applyMark(state, fault, {
        mark: event.mark,
        data: event.data,
        step: event.step,
        pointOfNoReturn: event.pointOfNoReturn,
        ...moment(event),
      });
      break;
    case 'fault.injected':
      fault.stage = 'injected';
      fault.injected = moment(event);
      break;
    case 'fault.verified':
      fault.stage = 'verified';
      fault.effective = event.effective;
      fault.evidence = event.evidence;
      fault.measures = { ...fault.measures, ...event.measures };
      fault.verified = moment(event);
      break;
    case 'fault.lapsed':
      fault.lapsed = event.evidence;
      break;
    case 'fault.failed':
      fault.stage = 'failed';
      fault.failure = { stage: event.stage, detail: event.detail };
      break;
    case 'fault.reverting':
      fault.stage = 'reverting';
      fault.reverting ??= moment(event);
      break;
    case 'fault.reverted':
      applyReverted(fault, event);
      break;
    case 'fault.revert-failed':
      fault.stage = 'failed';
      fault.revertFailures.push(event.detail);
      break;
    default:
      assertNever(event);
  }
}

function applyMark(state: RunState, fault: FaultState, mark: Mark): void {
  state.marks.push(mark);
  fault.marks.push(mark);
  fault.pastNoReturn ||= mark.pointOfNoReturn;
}

function applyReverted(fault: FaultState, event: EventOf<'fault.reverted'>): void {
  fault.stage = event.clean ? 'reverted' : 'failed';
  fault.clean = event.clean;
  fault.proof = event.evidence;
  fault.findings = event.findings;
  fault.measures = { ...fault.measures, ...event.measures };
  fault.reverted = moment(event);
}

/** The fault of `step`, made on first sight. */
export function faultOf(state: RunState, step: string): FaultState {
  const known = state.faults.get(step);
  if (known !== undefined) return known;
  const planned = state.plan?.steps.find((candidate) => candidate.kind === 'fault' && candidate.id === step);
  const fault: FaultState = {
    step,
    planned: planned?.kind === 'fault' ? planned : undefined,
    stage: 'planned',
    evidence: [],
    proof: [],
    findings: [],
    revertFailures: [],
    marks: [],
    pastNoReturn: false,
    measures: {},
  };
  state.faults.set(step, fault);
  return fault;
}

function moment(event: JournalEvent): Moment {
  return { at: event.at, t: event.t };
}
