/**
 * No run may, at worst, spend more of an SLO's error budget than the environment allows. At worst everything fails from the injection until the
 * announced impact is over, the SLO has noticed, and the faults are removed; what part of the traffic that hits is not known, so all of it.
 */
import { formatDuration } from '../core/units.ts';
import type { PlanDraft, PlannedSlo } from '../plan/plan.ts';
import type { Guard } from './contract.ts';

/** Of the period's budget, for one run. */
const defaultAllowance = 0.02;
/** Where no run of the experiment has shown how long it takes. */
const assumedRemovalMs = 30_000;

export const errorBudget: Guard = {
  name: 'error-budget',
  check({ plan, environment, removalMs }) {
    const allowance = environment.budgetAllowance ?? defaultAllowance;
    const worst = plan.slos.flatMap((slo) => worstCase(plan, slo, removalMs)).toSorted((a, b) => b.spent - a.spent)[0];
    if (worst === undefined) return { guard: 'error-budget', allowed: true, reason: 'no SLO of this experiment has an objective' };
    const removal =
      removalMs === undefined ? `${formatDuration(assumedRemovalMs)} to undo assumed` : `${formatDuration(removalMs)} to undo as seen`;
    const reason = `${worst.slo}: at worst ${formatDuration(worst.ms)} of failures (${removal}), ${percent(worst.spent)} of its error budget, allowed ${percent(allowance)}`;
    if (worst.spent <= allowance) return { guard: 'error-budget', allowed: true, reason };
    const remedy = 'shorten expectedImpact or the window of the SLO, or raise guards.budget.allowance';
    return { guard: 'error-budget', allowed: false, reason, remedy };
  },
};

function worstCase(plan: PlanDraft, slo: PlannedSlo, removalMs: number | undefined): { slo: string; ms: number; spent: number }[] {
  if (slo.objective === undefined) return [];
  const { share, periodMs } = slo.objective;
  const ms = Math.min(untilNoticed(plan, slo), plan.limits.maxDurationMs) + (removalMs ?? assumedRemovalMs);
  return [{ slo: slo.name, ms, spent: ms / ((1 - share) * periodMs) }];
}

/** An SLO that cannot stop the run leaves it to the time limit. */
function untilNoticed(plan: PlanDraft, slo: PlannedSlo): number {
  if (slo.fatal === undefined) return plan.limits.maxDurationMs;
  const announced = plan.steps.map((step) =>
    step.kind === 'fault' && step.expectedImpact?.slos.includes(slo.name) === true ? step.expectedImpact.forMs : 0,
  );
  return announced.reduce((sum, ms) => sum + ms, slo.windowMs);
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(2))} %`;
}
