/** The two stretches of a run that are compared: the baseline without its warm-up, and the time in which a fault was there. Pure. */
import { warmUpMs } from '../plan/warm-up.ts';
import type { Sample } from '../probes/contract.ts';
import { isDoubtful } from '../probes/samples.ts';
import { injectedFaults, least, most } from './fold-facts.ts';
import type { RunState } from './fold-state.ts';

/** Run time, ms; `to` is not in it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Absent when it was not reached. */
export function baselineSpan(state: RunState): Span | undefined {
  const phase = state.phases.find((span) => span.phase === 'baseline');
  if (phase === undefined || state.plan === undefined) return undefined;
  const from = phase.t + warmUpMs(state.plan.steadyState.baselineMs);
  const to = least([phase.endT, firstInjection(state)]) ?? state.last?.t ?? from;
  return from < to ? { from, to } : undefined;
}

/** From the first injection until the last revert began; absent when nothing was injected. */
export function faultSpan(state: RunState): Span | undefined {
  const from = firstInjection(state);
  if (from === undefined) return undefined;
  const to = most(injectedFaults(state).map((fault) => fault.reverting?.t ?? state.last?.t)) ?? from;
  return from < to ? { from, to } : undefined;
}

/** Samples of a probe that were meant to start in `span`, in that order, without those that the prober cannot vouch for. */
export function samplesIn(state: RunState, probe: string, span: Span | undefined): Sample[] {
  if (span === undefined) return [];
  return (state.samples.get(probe) ?? [])
    .filter((sample) => sample.due >= span.from && sample.due < span.to && !isDoubtful(sample))
    .sort((a, b) => a.due - b.due);
}

function firstInjection(state: RunState): number | undefined {
  return least(injectedFaults(state).map((fault) => fault.injecting?.t));
}
