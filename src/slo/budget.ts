/** What a run cost of an SLO's error budget. Pure; from the probe's own samples, so it says what users who behave like the probe would have seen. */
import type { PlannedSlo } from '../plan/plan.ts';

export interface Counted {
  readonly samples: number;
  readonly bad: number;
}

export interface BudgetSpent {
  /** How many times faster than the objective allows: bad share by allowed share. */
  readonly burnRate: number;
  /** Of the whole period's budget, 0–1 and beyond. */
  readonly spent: number;
  /** The same less what the baseline would have cost in that time; never below 0. */
  readonly spentByFault: number;
}

/**
 * `during` took `ms`. The period is taken to have as many requests a second as the probe made, so the real traffic does not matter: a minute in
 * which everything fails is the same share of the month for ten requests as for a million.
 */
export function budgetSpent(
  { share, periodMs }: NonNullable<PlannedSlo['objective']>,
  baseline: Counted,
  during: Counted & { readonly ms: number },
): BudgetSpent | undefined {
  if (during.samples === 0 || during.ms <= 0) return undefined;
  const allowed = 1 - share;
  const wholePeriod = (during.samples / during.ms) * periodMs;
  const usual = baseline.samples === 0 ? 0 : (baseline.bad / baseline.samples) * during.samples;
  return {
    burnRate: during.bad / during.samples / allowed,
    spent: during.bad / (allowed * wholePeriod),
    spentByFault: Math.max(0, during.bad - usual) / (allowed * wholePeriod),
  };
}
