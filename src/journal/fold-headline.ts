/** The few facts that head a report and end a terminal's run: the verdict in a word, the numbers in a line. */
import { describeAbort } from '../core/abort.ts';
import { plural } from '../core/text.ts';
import { formatDuration, formatQuantity } from '../core/units.ts';
import type { Expectation } from '../plan/plan.ts';
import type { RollbackState, Verdict } from './events.ts';
import { closestApproach, endedBefore, injectedFaults, openFaults, rollbackOf, stampsOf } from './fold-facts.ts';
import type { FaultState, RunState } from './fold-state.ts';
import { faultName, oneLine } from './fold-words.ts';

export interface Headline {
  /** `no verdict`: the run never got that far. */
  readonly verdict: Verdict | 'no verdict';
  readonly outcome: string;
  readonly because: string;
  readonly rollback: RollbackState;
  /** Nothing was ever injected: a clean rollback means little. */
  readonly untouched: boolean;
  /** Only with a rollback that is not clean: what may still be there. */
  readonly remains: readonly string[];
  /** Facts that a verdict must not hide: lost or unknown writes, a dead runner. */
  readonly warnings: readonly string[];
}

export function headlineOf(state: RunState): Headline {
  const rollback = rollbackOf(state);
  const { judgement } = state;
  return {
    verdict: judgement?.verdict ?? (state.refused === undefined ? 'no verdict' : 'not-tested'),
    outcome: judgement?.outcome ?? (state.refused === undefined ? 'unfinished' : 'refused'),
    because: oneLine(judgement?.because ?? state.refused ?? unfinished(state)),
    rollback,
    untouched: injectedFaults(state).length === 0,
    remains: rollback === 'clean' ? [] : openFaults(state).map((fault) => remainder(state, fault)),
    warnings: warningsOf(state).map(oneLine),
  };
}

function unfinished(state: RunState): string {
  const [recovery] = state.recoveries;
  // A recovery may enter phases of its own.
  const phase = state.phases.findLast((span) => recovery === undefined || span.t < recovery.t);
  const where = phase === undefined ? 'before its first phase' : `in phase ${phase.phase}`;
  return recovery !== undefined ? `the runner died ${where}` : `the journal ends ${where}; the runner died or is still at work`;
}

function remainder(state: RunState, fault: FaultState): string {
  const name = `${fault.step} ${faultName(state, fault.step)}`;
  const failure = fault.revertFailures.at(-1);
  if (fault.clean === false) return oneLine(`${name}: still there (${fault.proof.join('; ') || 'no details'})`);
  if (failure !== undefined) return oneLine(`${name}: the revert failed (${failure})`);
  return `${name}: ${fault.reverting === undefined ? 'was never reverted' : 'its revert was not proved'}`;
}

function warningsOf(state: RunState): string[] {
  const lost = state.ledgers.filter((ledger) => ledger.lost > 0);
  const acknowledged = (durable: number, gone: number): string => plural(durable + gone, 'acknowledged write');
  return [
    ...lost.map((ledger) => `${ledger.lost} of ${acknowledged(ledger.durable, ledger.lost)} LOST (${ledger.probe})`),
    ...state.unsettled.map(({ probe, detail }) => `lost writes UNKNOWN (${probe}): ${detail}`),
    ...missingLedgers(state),
    ...injectedFaults(state)
      .filter((fault) => fault.effective === false)
      .map((fault) => `${faultName(state, fault.step)} never took effect`),
    ...injectedFaults(state).flatMap((fault) =>
      fault.lapsed === undefined
        ? []
        : [`${faultName(state, fault.step)} was not in effect to the end of its time (${fault.lapsed.join('; ')})`],
    ),
    ...state.recoveries.map((recovery) => {
      const why = endedBefore(state, recovery) ? 'the run ended with something still in effect' : 'the runner died';
      return `${why}; process ${recovery.pid} (${recovery.operator}) took over`;
    }),
  ];
}

/** A ledger probe that wrote and was never read back, as after a crash. */
function missingLedgers(state: RunState): string[] {
  const answered = new Set([...state.ledgers, ...state.unsettled].map(({ probe }) => probe));
  const ended = state.finished !== undefined || state.judgement !== undefined || state.recoveries.length > 0;
  if (!ended) return [];
  return [...state.samples]
    .filter(([probe, samples]) => !answered.has(probe) && samples.some((sample) => sample.seq !== undefined))
    .map(([probe]) => `lost writes UNKNOWN (${probe}): the ledger was never read back`);
}

/** What was measured, most telling first; each with its limit where there is one. */
export function keyNumbers(state: RunState): string[] {
  const stamps = stampsOf(state);
  const since = (from: number | undefined, to: number | undefined): number | undefined =>
    from === undefined || to === undefined || to < from ? undefined : to - from;
  const abort = since(stamps.t0, stamps.t6);
  const back = since(stamps.t2, stamps.t8);
  return [
    ...injectedFaults(state).flatMap((fault) => (fault.planned?.expectations ?? []).flatMap((clause) => expectationNumber(fault, clause))),
    ...state.ledgers.flatMap((ledger) => [
      `${ledger.lost} of ${plural(ledger.durable + ledger.lost, 'acknowledged write')} lost`,
      `longest gap in writes ${formatDuration(ledger.longestGap.ms)}`,
    ]),
    ...(state.plan?.slos ?? []).flatMap((slo) => {
      const { worst, limit, level } = closestApproach(state, slo, stamps.t0);
      return worst === undefined || limit === undefined
        ? []
        : [`${slo.name} ${formatQuantity(worst, slo.unit)} at worst (${level} ${limit.text})`];
    }),
    ...(abort === undefined ? [] : [`aborted after ${formatDuration(abort)}`]),
    ...(back === undefined ? [] : [`back inside the SLOs after ${formatDuration(back)}`]),
  ].map(oneLine);
}

function expectationNumber(fault: FaultState, { measure, unit, comparison, source }: Expectation): string[] {
  const value = fault.measures[measure];
  if (source !== 'fault' || value === undefined) return [];
  return [`${measure} ${formatQuantity(value, unit)} (expected ${comparison.text})`];
}

/** Why the run was stopped early, if it was. */
export function abortSentence(state: RunState): string | undefined {
  return state.abort === undefined ? undefined : oneLine(describeAbort(state.abort.reason));
}
