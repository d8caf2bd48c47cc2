/** Events as sentences: one wording for timelines in reports and for lines on a terminal. */
import { describeAbort } from '../core/abort.ts';
import { assertNever } from '../core/assert-never.ts';
import { cleanText } from '../core/text.ts';
import { formatDuration, formatQuantity } from '../core/units.ts';
import type { LedgerResult } from '../probes/contract.ts';
import type { CalibratedRule, EventOf, JournalEvent } from './events.ts';
import { endedBefore, plannedOperation } from './fold-facts.ts';
import { revertedAlone } from './fold-fuses.ts';
import type { RunState } from './fold-state.ts';

export type Tone = 'muted' | 'info' | 'good' | 'warning' | 'bad';

export interface Sentence {
  /** Who says so: `runner`, `guard`, `probe`, `slo`, `fault`, or a target's name. */
  readonly source: string;
  /** One line, safe to show. */
  readonly text: string;
  readonly tone: Tone;
}

/** Shorter stalls of the prober are in the report, as a sum, ms. */
const worthTelling = 250;

/** `undefined` for what is only data: samples, SLO values, reads that went well. */
export function describeEvent(event: JournalEvent, state: RunState): Sentence | undefined {
  const sentence = sentenceFor(event, state);
  return sentence === undefined ? undefined : { ...sentence, source: oneLine(sentence.source), text: oneLine(sentence.text) };
}

/** Cleaned, and without line breaks or tabs. */
export function oneLine(text: string): string {
  return cleanText(text).replace(/\s+/g, ' ').trim();
}

function sentenceFor(event: JournalEvent, state: RunState): Sentence | undefined {
  switch (event.type) {
    case 'probe.sampled':
    case 'slo.measured':
      return undefined;
    case 'run.started':
    case 'phase.entered':
    case 'guard.answered':
    case 'target.connected':
    case 'target.lost':
    case 'run.refused':
    case 'run.errored':
    case 'recover.started':
    case 'run.finished':
      return aboutCourse(event, state);
    case 'prober.invalid':
      return event.ms < worthTelling ? undefined : say('probe', `cannot vouch for ${formatDuration(event.ms)}: ${event.detail}`, 'warning');
    case 'probe.started':
    case 'slo.breached':
    case 'slo.cleared':
    case 'baseline.held':
    case 'baseline.failed':
    case 'abort.calibrated':
    case 'ledger.settled':
    case 'ledger.unknown':
      return aboutMeasurement(event, state);
    case 'operation.running':
    case 'operation.finished':
      return aboutOperation(event, state);
    case 'fault.prepared':
    case 'fault.injecting':
    case 'fault.marked':
    case 'fault.injected':
    case 'fault.verified':
    case 'fault.lapsed':
    case 'fault.failed':
      return aboutInjection(event, state);
    case 'fault.reverting':
    case 'fault.reverted':
    case 'fault.revert-failed':
      return aboutRevert(event, state);
    case 'step.waiting':
    case 'abort.decided':
    case 'rollback.finished':
    case 'recovery.held':
    case 'recovery.failed':
    case 'verdict.reached':
      return aboutEnding(event);
    default:
      return assertNever(event);
  }
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

function aboutCourse(event: CourseEvent, state: RunState): Sentence | undefined {
  switch (event.type) {
    case 'run.started':
      return say(
        'runner',
        `run ${event.run} of ${event.plan.experiment.name} on ${event.plan.environment.name}, started by ${event.operator}`,
      );
    case 'phase.entered':
      return say('runner', `phase: ${event.phase}`, 'muted');
    case 'guard.answered':
      return event.answer.allowed ? undefined : say('guard', `${event.answer.guard} refuses: ${event.answer.reason}`, 'bad');
    case 'target.connected':
      return say(event.target, `connected after ${formatDuration(event.ms)}`, 'muted');
    case 'target.lost':
      return say(event.target, `connection lost: ${event.detail}`, 'bad');
    case 'run.refused':
      return say('runner', `refused: ${event.detail}`, 'bad');
    case 'run.errored':
      return say('runner', `error ${event.code}: ${event.detail}`, 'bad');
    case 'recover.started':
      return say(
        'runner',
        `another process (pid ${event.pid}, ${event.operator}) took over after ${endedBefore(state, event) ? 'the run had ended with something still in effect' : 'the runner had died'}`,
        'warning',
      );
    case 'run.finished':
      return say('runner', `finished with exit code ${event.exitCode}`, 'muted');
    default:
      return assertNever(event);
  }
}

type MeasurementEvent = EventOf<
  | 'probe.started'
  | 'slo.breached'
  | 'slo.cleared'
  | 'baseline.held'
  | 'baseline.failed'
  | 'abort.calibrated'
  | 'ledger.settled'
  | 'ledger.unknown'
>;

function aboutMeasurement(event: MeasurementEvent, state: RunState): Sentence {
  switch (event.type) {
    case 'probe.started':
      return say('probe', `${event.probe} is sampling`, 'muted');
    case 'slo.breached': {
      const value = sloValue(state, event.slo, event.value);
      const announced = event.expected ? '; announced as expected impact' : '';
      const tone = event.level === 'warning' || event.expected ? 'warning' : 'bad';
      return say('slo', `${event.slo} is ${event.level}: ${value} (limit ${event.threshold}, ${event.samples} samples${announced})`, tone);
    }
    case 'slo.cleared':
      return say('slo', `${event.slo} is back: ${sloValue(state, event.slo, event.value)}`, 'good');
    case 'baseline.held':
      return say('runner', `steady for ${formatDuration(event.ms)} before injection`, 'good');
    case 'baseline.failed':
      return say('runner', event.detail, 'bad');
    case 'abort.calibrated':
      return say('runner', `abort rule: ${event.rules.map((rule) => `${rule.slo} ${describeRule(rule)}`).join('; ')}`, 'muted');
    case 'ledger.settled':
      return say('probe', `${event.result.probe}: ${describeLedger(event.result)}`, event.result.lost > 0 ? 'bad' : 'good');
    case 'ledger.unknown':
      return say('probe', `${event.probe}: what became of the writes is unknown: ${event.detail}`, 'bad');
    default:
      return assertNever(event);
  }
}

function aboutOperation(event: EventOf<'operation.running' | 'operation.finished'>, state: RunState): Sentence | undefined {
  const planned = plannedOperation(state, event);
  if (event.type === 'operation.running') {
    if (!event.changes) return undefined;
    // The exact command stands in the plan and in the journal; a reader of the course wants to know what it is for.
    const sink = planned?.sink === undefined ? '' : `, into ${planned.sink.target}`;
    return say(event.target, `${planned?.purpose ?? event.text}${sink} (${event.via} ${event.operation})`);
  }
  const alone = planned?.fuse?.does === 'pull' && event.ok ? revertedAlone(event.detail) : undefined;
  if (alone !== undefined) return say(planned?.target ?? 'fuse', `the target had REVERTED BY ITSELF: ${alone}`, 'warning');
  // A read that fails is an answer too (a server that is down cannot be asked); where it matters, its fault says so.
  if (event.ok || planned?.changes === false) return undefined;
  return say(planned?.target ?? 'runner', `${event.operation} failed after ${formatDuration(event.ms)}: ${event.detail}`, 'warning');
}

type InjectionEvent = EventOf<
  'fault.prepared' | 'fault.injecting' | 'fault.marked' | 'fault.injected' | 'fault.verified' | 'fault.lapsed' | 'fault.failed'
>;

function aboutInjection(event: InjectionEvent, state: RunState): Sentence | undefined {
  const name = faultName(state, event.step);
  switch (event.type) {
    case 'fault.prepared':
      return say('fault', `${name} can be undone; its undo is recorded`, 'muted');
    case 'fault.injecting':
      return say('fault', `injecting ${name}`, 'warning');
    case 'fault.marked':
      return say('fault', `${name}: ${event.mark}${event.pointOfNoReturn ? '; point of no return, abort now means going forward' : ''}`);
    case 'fault.injected':
      return say('fault', `${name} injected`, 'muted');
    case 'fault.verified':
      return event.effective
        ? say('fault', `${name} is in effect${because(event.evidence)}`, 'warning')
        : say('fault', `${name} did not take effect${because(event.evidence)}`, 'bad');
    case 'fault.lapsed':
      return say('fault', `${name} is NOT in effect any more at the end of its time${because(event.evidence)}`, 'bad');
    case 'fault.failed':
      return say('fault', `${name} failed to ${event.stage}: ${event.detail}`, 'bad');
    default:
      return assertNever(event);
  }
}

function aboutRevert(event: EventOf<'fault.reverting' | 'fault.reverted' | 'fault.revert-failed'>, state: RunState): Sentence {
  const name = faultName(state, event.step);
  switch (event.type) {
    case 'fault.reverting':
      return say('fault', `reverting ${name}`);
    case 'fault.reverted':
      return event.clean
        ? say('fault', `${name} is gone${because(event.evidence)}`, 'good')
        : say('fault', `${name} is NOT gone${because(event.evidence)}`, 'bad');
    case 'fault.revert-failed':
      return say('fault', `an attempt to revert ${name} failed: ${event.detail}`, 'bad');
    default:
      return assertNever(event);
  }
}

type EndingEvent = EventOf<
  'step.waiting' | 'abort.decided' | 'rollback.finished' | 'recovery.held' | 'recovery.failed' | 'verdict.reached'
>;

function aboutEnding(event: EndingEvent): Sentence {
  switch (event.type) {
    case 'step.waiting':
      return say('runner', `${event.step}: waiting ${formatDuration(event.forMs)}`, 'muted');
    case 'abort.decided':
      return say('runner', `abort: ${describeAbort(event.reason)}`, 'bad');
    case 'rollback.finished':
      return say('runner', `rollback ${event.state}`, event.state === 'clean' ? 'good' : 'bad');
    case 'recovery.held':
      return say('slo', `all SLOs are back for good; it took them ${formatDuration(event.sinceMs)}`, 'good');
    case 'recovery.failed':
      return say('slo', `no recovery: ${event.detail}`, 'bad');
    case 'verdict.reached':
      return say('runner', `${event.outcome}; ${event.verdict}: ${event.because}`, event.verdict === 'held' ? 'good' : 'bad');
    default:
      return assertNever(event);
  }
}

/** `db-failover on db-a`; the step's id alone when the plan is not known. */
export function faultName(state: RunState, step: string): string {
  const planned = state.faults.get(step)?.planned;
  return planned === undefined ? step : `${planned.fault} on ${planned.targets.join(', ')}`;
}

/** A value in its SLO's unit. */
export function sloValue(state: RunState, slo: string, value: number): string {
  return formatQuantity(value, state.plan?.slos.find((candidate) => candidate.name === slo)?.unit ?? 'count');
}

/** `6 bad of the last 100 or 3 failures in a row (under 0.1 % of runs falsely)` */
function describeRule({ bad, of, consecutive, falseAborts }: CalibratedRule): string {
  const count = bad === undefined ? '' : `${bad} bad of the last ${of} or `;
  return `${count}${consecutive} failures in a row (${falseAbortText(falseAborts)} falsely)`;
}

/** Simulated in 2,000 runs, so nothing finer than a tenth of a percent is known. */
export function falseAbortText(share: number): string {
  return `${share < 0.001 ? 'under 0.1 %' : formatQuantity(share, 'ratio')} of runs`;
}

export function describeLedger(result: LedgerResult): string {
  const { writes, durable, lost, indeterminate, rejected, longestGap } = result;
  const gap = `longest gap ${formatDuration(longestGap.ms)}`;
  return `${writes} writes: ${durable} durable, ${lost} lost, ${indeterminate} indeterminate, ${rejected} rejected; ${gap}`;
}

function say(source: string, text: string, tone: Tone = 'info'): Sentence {
  return { source, text, tone };
}

function because(evidence: readonly string[]): string {
  return evidence.length === 0 ? '' : `: ${evidence.join('; ')}`;
}
