/**
 * Fits the abort rule to what the baseline was like: so many bad samples that fewer than the allowed share of runs would be stopped
 * without any effect. Pure.
 */
import { formatQuantity } from '../core/units.ts';
import type { CalibratedRule } from '../journal/events.ts';
import type { PlannedSlo } from '../plan/plan.ts';
import { mostBad, type SloAbortRule } from './abort-rule.ts';
import { BadCounter, type Judged } from './bad-counter.ts';
import { FalseAborts, type Observed, type Worst } from './false-aborts.ts';

/** Of runs, by all SLOs together. */
export const allowedFalseAborts = 0.01;

export interface CalibrationInput {
  readonly slo: Pick<PlannedSlo, 'name' | 'probe'>;
  readonly rule: SloAbortRule;
  /** In the order they came. */
  readonly baseline: readonly Judged[];
  /** Samples that the method is planned to take. */
  readonly planned: number;
  /** Share of runs that this SLO may stop falsely, 0–1. */
  readonly allowed: number;
}

/** `problem`: no count tells an effect from what was there before. */
export type Calibration = { readonly rule: CalibratedRule } | { readonly problem: string };

/**
 * Starts where the baseline itself would not have tripped it, and raises whichever half stops more runs. Yields now and then, because it takes some tens
 * of milliseconds in all.
 */
export function* calibration({ slo, rule, baseline, planned, allowed }: CalibrationInput): Generator<undefined, Calibration> {
  const { of } = rule;
  const seen = worstSeen(baseline, of);
  const observed = observe(baseline);
  const most = mostBad(of);
  const simulated = yield* FalseAborts.simulate(observed, planned, of);
  const fitted = {
    bad: rule.bad === undefined ? undefined : Math.max(rule.bad, seen.bad + 1),
    consecutive: Math.max(rule.consecutive, seen.row + 1),
  };
  const byCount = ({ bad }: Worst): boolean => fitted.bad !== undefined && bad >= fitted.bad;
  const byRow = ({ row }: Worst): boolean => row >= fitted.consecutive;
  const falsely = (runs: FalseAborts): number => runs.probability((worst) => byCount(worst) || byRow(worst));
  while (falsely(simulated) > allowed && ((fitted.bad ?? most) < most || fitted.consecutive < most)) {
    const more = simulated.probability(byRow) > simulated.probability(byCount) ? 'consecutive' : 'bad';
    if (fitted.bad !== undefined && fitted.bad < most && (more === 'bad' || fitted.consecutive >= most)) fitted.bad++;
    else fitted.consecutive++;
  }
  // Few samples leave much possible; that is no reason to refuse. What was seen is, if it would be too much when seen a thousand times as often.
  const unclear = falsely(simulated) > allowed && falsely(yield* FalseAborts.simulate(manyTimes(observed), planned, of)) > allowed;
  if ((fitted.bad ?? 0) > most || unclear) {
    const had = `${observed.bad} of ${observed.samples} samples were bad before anything was injected`;
    const why = `no count up to ${most} of ${of} keeps false aborts under ${formatQuantity(allowed, 'ratio')} of runs`;
    return { problem: `SLO ${slo.name}: ${had}; ${why}` };
  }
  return {
    rule: {
      slo: slo.name,
      probe: slo.probe,
      ...(rule.limitMs === undefined ? {} : { limitMs: rule.limitMs }),
      ...(fitted.bad === undefined ? {} : { bad: fitted.bad }),
      of,
      consecutive: fitted.consecutive,
      baseline: { samples: observed.samples, bad: observed.bad },
      planned,
      falseAborts: falsely(simulated),
    },
  };
}

function manyTimes({ samples, bad, failed }: Observed): Observed {
  return { samples: samples * 1_000, bad: bad * 1_000, failed: failed * 1_000 };
}

function observe(baseline: readonly Judged[]): Observed {
  return {
    samples: baseline.length,
    bad: baseline.filter((sample) => sample.bad).length,
    failed: baseline.filter((sample) => sample.failed).length,
  };
}

function worstSeen(baseline: readonly Judged[], of: number): Worst {
  const counter = new BadCounter({ of, consecutive: Number.POSITIVE_INFINITY });
  let [bad, row] = [0, 0];
  for (const sample of baseline) {
    counter.add(sample);
    bad = Math.max(bad, counter.bad);
    row = Math.max(row, counter.row);
  }
  return { bad, row };
}
