/**
 * The abort rule as it applies to one SLO: which samples are bad for it, and how many of them are more than the SLO itself tolerates. Pure.
 * A run is not stopped, and its hypothesis not refuted, by what the SLO allows.
 */
import type { PlannedAbortRule, PlannedSlo } from '../plan/plan.ts';
import { isBad, isDoubtful } from '../probes/samples.ts';
import type { Judged } from './bad-counter.ts';
import { type Measure, parseMeasure } from './measures.ts';

export interface SloAbortRule {
  /** A sample that takes longer is bad; absent: only failures are. */
  readonly limitMs?: number;
  /** So many bad ones among the last `of` stop the run, at least; absent: the SLO tolerates more than can be counted. */
  readonly bad?: number;
  readonly of: number;
  readonly consecutive: number;
}

type Levels = Pick<PlannedSlo, 'measure' | 'severe' | 'fatal'>;

/** The rule for `slo`; `undefined` for one that has neither a fatal nor a severe level, because a warning never stops anything. */
export function abortRuleOf(slo: Levels, { bad, of, consecutive }: PlannedAbortRule): SloAbortRule | undefined {
  // The level that stops a run is the fatal one. An SLO without it has said nothing of stopping, so its worst level stands for it.
  const limit = slo.fatal ?? slo.severe;
  const measure = parseMeasure(slo.measure);
  // A number that cannot be read says nothing of the target.
  if (limit === undefined || measure === undefined || measure.kind === 'value') return undefined;
  const count = Math.max(bad, breaking(measure, limit, of));
  const slow = measure.kind === 'quantile' || measure.kind === 'max' ? { limitMs: limit.value } : {};
  return { ...slow, ...(count > mostBad(of) ? {} : { bad: count }), of, consecutive };
}

/** No count above half of what is looked at: who needs it cannot tell good from bad. */
export function mostBad(of: number): number {
  return Math.floor(of / 2);
}

/** The smallest number of bad samples among `of` with which the measure over them crosses `limit`. */
function breaking(measure: Measure, limit: NonNullable<Levels['fatal']>, of: number): number {
  if (measure.kind === 'error-rate') {
    // 5 % of 100 is a little more than 5 in floating point.
    const allowed = Math.round(limit.value * of * 1e6) / 1e6;
    return limit.operator === '>' ? Math.floor(allowed) + 1 : Math.ceil(allowed);
  }
  // The nearest rank is the value that so many from the top are not below.
  if (measure.kind === 'quantile') return of - Math.max(1, Math.ceil((of * measure.thousandths) / 1_000)) + 1;
  return 1;
}

/** What a sample is for this rule; `undefined` where the prober itself stood still for so much of it that nobody knows. */
export function judge(sample: Parameters<typeof isBad>[0], { limitMs }: Pick<SloAbortRule, 'limitMs'>): Judged | undefined {
  const bad = isBad(sample, limitMs);
  return !bad && isDoubtful(sample) ? undefined : { bad, failed: bad && !sample.ok };
}
