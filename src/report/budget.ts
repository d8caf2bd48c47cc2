/** The error budget of each SLO that has an objective: how fast it burned from the injection on, and how much of it the run spent. */
import { formatDuration, formatPeriod, formatQuantity } from '../core/units.ts';
import { most, stampsOf } from '../journal/fold-facts.ts';
import { baselineSpan, samplesIn } from '../journal/fold-spans.ts';
import type { RunState } from '../journal/fold-state.ts';
import type { PlannedSlo } from '../plan/plan.ts';
import type { Sample } from '../probes/contract.ts';
import { isBad } from '../probes/samples.ts';
import { budgetSpent, type Counted } from '../slo/budget.ts';
import { code, table } from './escape.ts';

/** Empty where no SLO has an objective, or nothing was injected. */
export function errorBudget(state: RunState): string {
  const { t0 } = stampsOf(state);
  const slos = (state.plan?.slos ?? []).filter(({ objective }) => objective !== undefined);
  if (t0 === undefined || slos.length === 0) return '';
  const head = ['SLO', 'Objective', 'Bad from injection on', 'Burn rate', 'Budget spent', 'By the fault, less the baseline’s share'];
  return [
    '**Error budget**',
    table(
      head,
      slos.map((slo) => row(state, slo, t0)),
      '',
    ),
    'Estimated by the probe: as if all users had been treated as it was. Real users spend the budget too when a drill hits them; keep drills on a line of their own.',
  ].join('\n\n');
}

function row(state: RunState, slo: PlannedSlo, t0: number): string[] {
  const { objective } = slo;
  const end = most((state.samples.get(slo.probe) ?? []).map(({ due }) => due));
  if (objective === undefined) return [];
  const goal = `${precise(objective.share)} over ${formatPeriod(objective.periodMs)}`;
  if (end === undefined || end <= t0) return [code(slo.name), goal, 'no samples', '', '', ''];
  const during = count(samplesIn(state, slo.probe, { from: t0, to: end + 1 }), slo);
  const spent = budgetSpent(objective, count(samplesIn(state, slo.probe, baselineSpan(state)), slo), { ...during, ms: end - t0 });
  if (spent === undefined) return [code(slo.name), goal, 'no samples', '', '', ''];
  return [
    code(slo.name),
    goal,
    `${during.bad} of ${during.samples} in ${formatDuration(end - t0)}`,
    `${Number(spent.burnRate.toPrecision(3))}×`,
    precise(spent.spent),
    precise(spent.spentByFault),
  ];
}

/** Bad for this SLO: failed, or slower than the lowest limit at which it no longer holds. */
function count(samples: readonly Sample[], slo: PlannedSlo): Counted {
  const limit = slo.unit === 'duration' ? (slo.severe ?? slo.fatal)?.value : undefined;
  return { samples: samples.length, bad: samples.filter((sample) => isBad(sample, limit)).length };
}

/** Shares of a month are small: `0.39 %`, `99.95 %`. */
function precise(ratio: number): string {
  return ratio !== 0 && ratio < 0.01
    ? `${Number((ratio * 100).toPrecision(2))} %`
    : ratio > 0.99 && ratio < 1
      ? `${Number((ratio * 100).toPrecision(6))} %`
      : formatQuantity(ratio, 'ratio');
}
