/** What it would have meant for users: bad samples, how long, and what became of every write. */
import { formatDuration, formatQuantity } from '../core/units.ts';
import { isBeyond, isHarm, least, limitsOf, most, type SampleLimits, stampsOf } from '../journal/fold-facts.ts';
import type { RunState } from '../journal/fold-state.ts';
import type { Sample } from '../probes/contract.ts';
import { isBad, isDoubtful, latencyOf } from '../probes/samples.ts';
import { quantileOf } from '../slo/quantile-interval.ts';
import { errorBudget } from './budget.ts';
import { comparison } from './comparison.ts';
import { code, safe, table } from './escape.ts';

export function impact(state: RunState): string {
  return [
    'All traffic counted here is synthetic: the probes made it. What real users saw is for people to add.',
    samplesTable(state),
    valuesTable(state),
    leftOut(state),
    errorsTable(state),
    comparison(state),
    errorBudget(state),
    measuresTable(state),
    writesTable(state),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function samplesTable(state: RunState): string {
  const from = stampsOf(state).t0 ?? Number.POSITIVE_INFINITY;
  const rows = [...state.samples].map(([probe, samples]) => {
    const limits = limitsOf(state.plan, probe);
    const { slowMs } = limits;
    const after = samples.filter((sample) => sample.end >= from && !isDoubtful(sample));
    const failed = after.filter((sample) => !sample.ok).length;
    const slow = after.filter((sample) => sample.ok && isBad(sample, slowMs)).length;
    const stretch = longestBadStretch(after, limits);
    return [
      code(probe),
      String(samples.length),
      String(after.length),
      after.length === 0 ? String(failed) : `${failed} (${formatQuantity(failed / after.length, 'ratio')})`,
      slowMs === undefined ? 'no limit' : `${slow} (over ${formatDuration(slowMs)})`,
      latency(after, 500) || 'too few',
      latency(after, 990) || tail(after),
      stretch === 0 ? 'none' : formatDuration(stretch),
    ];
  });
  const found = table(
    ['Probe', 'Samples', 'After injection', 'Failed', 'Slow', 'p50 (95 % CI)', 'p99 (95 % CI)', 'Longest bad stretch'],
    rows,
    'No probe gave samples.',
  );
  return rows.length === 0
    ? found
    : `${found}\n\nA quantile is printed only with ten samples beyond it: a p99 from 1,000 samples on, below that p90 and the maximum stand in its place.`;
}

/** What the prober cannot vouch for, so that nothing above rests on it. */
function leftOut({ samples, invalid }: RunState): string {
  const count = [...samples.values()].flat().filter(isDoubtful).length;
  const few = `${count} samples are left out here: the prober itself stood still for more than a twentieth of each.`;
  const ms = invalid.reduce((sum, stretch) => sum + stretch.ms, 0);
  const longest = invalid.toSorted((a, b) => b.ms - a.ms).slice(0, 3);
  const where = longest.map((stretch) => `${formatDuration(stretch.ms)} from ${at(stretch.from)} (${safe(stretch.detail)})`).join(', ');
  const blind = `For ${formatDuration(ms)} in all it did not look at the target; the longest: ${where}.`;
  return [...(count === 0 ? [] : [few]), ...(invalid.length === 0 ? [] : [blind])].join(' ');
}

/** Empty where there are too few samples. */
function latency(samples: readonly Sample[], thousandths: number): string {
  const found = quantileOf(latencies(samples), thousandths);
  return found === undefined ? '' : `${formatDuration(found.value)} (${formatDuration(found.low)} to ${formatDuration(found.high)})`;
}

function tail(samples: readonly Sample[]): string {
  const worst = most(latencies(samples));
  if (worst === undefined) return '';
  const p90 = latency(samples, 900);
  return `${p90 === '' ? '' : `p90 ${p90}, `}max ${formatDuration(worst)}`;
}

/** From the intended start, timeouts included; ascending. */
function latencies(samples: readonly Sample[]): number[] {
  return samples.map(latencyOf).sort((a, b) => a - b);
}

/** What probes read that read a number. */
function valuesTable(state: RunState): string {
  const from = stampsOf(state).t0 ?? Number.POSITIVE_INFINITY;
  const rows = [...state.samples].flatMap(([probe, samples]) => {
    const read = samples.filter(({ value }) => value !== undefined);
    if (read.length === 0) return [];
    const limits = limitsOf(state.plan, probe);
    const after = read.filter((sample) => sample.end >= from);
    const before = read.filter((sample) => sample.end < from);
    const beyond = after.filter((sample) => isBeyond(sample, limits)).length;
    const allowed = limits.values.map(({ text }) => safe(text)).join(', ');
    return [[code(probe), range(before), range(after), allowed === '' ? 'no limit' : `${beyond} (${allowed})`]];
  });
  return table(['Probe', 'Values before', 'After injection', 'Beyond the limit'], rows, '');
}

function range(samples: readonly Sample[]): string {
  const values = samples.map(({ value }) => value);
  const [low, high] = [least(values), most(values)];
  if (low === undefined || high === undefined) return 'none';
  const [from, to] = [formatQuantity(low, 'count'), formatQuantity(high, 'count')];
  return from === to ? from : `${from} to ${to}`;
}

/** From the intended start of the first bad sample of a row to that of the next good one, or to the end of the row. */
export function longestBadStretch(samples: readonly Sample[], limits: SampleLimits): number {
  let longest = 0;
  let began: number | undefined;
  let end = 0;
  for (const sample of samples.toSorted((a, b) => a.due - b.due)) {
    if (isHarm(sample, limits)) {
      began ??= sample.due;
      end = Math.max(end, sample.end);
    } else if (began !== undefined) {
      longest = Math.max(longest, sample.due - began);
      began = undefined;
      end = 0;
    }
  }
  return began === undefined ? longest : Math.max(longest, end - began);
}

function errorsTable(state: RunState): string {
  const counts = new Map<string, number>();
  for (const [probe, samples] of state.samples) {
    for (const sample of samples) {
      if (sample.ok || isDoubtful(sample)) continue;
      const key = `${code(probe)} | ${safe((sample.error ?? 'no reason given').slice(0, 120))}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const rows = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, 12);
  return table(
    ['Probe', 'Error', 'Samples'],
    rows.map(([key, count]) => [key, String(count)]),
    '',
  );
}

/** What the faults measured themselves. */
function measuresTable(state: RunState): string {
  const rows = [...state.faults.values()].flatMap((fault) =>
    Object.entries(fault.measures).map(([name, value]) => {
      const unit = fault.planned?.expectations.find((clause) => clause.measure === name)?.unit;
      return [fault.step, code(name), unit === undefined ? String(Math.round(value * 1_000) / 1_000) : formatQuantity(value, unit)];
    }),
  );
  return table(['Step', 'Measure', 'Value'], rows, '');
}

function writesTable(state: RunState): string {
  const rows = state.ledgers.map((ledger) => [
    code(ledger.probe),
    code(ledger.survivor),
    String(ledger.writes),
    String(ledger.durable),
    ledger.lost > 0 ? `**${ledger.lost}**` : '0',
    String(ledger.indeterminate),
    String(ledger.rejected),
    ledger.lostWindow === undefined ? 'none' : `${at(ledger.lostWindow.from)} to ${at(ledger.lostWindow.to)}`,
    `${formatDuration(ledger.longestGap.ms)} from ${at(ledger.longestGap.from)}`,
  ]);
  const unknown = state.unsettled.map(
    ({ probe, detail }) => `- **What became of the writes of ${code(probe)} is unknown:** ${safe(detail)}`,
  );
  if (rows.length === 0 && unknown.length === 0) return 'No write ledger was read back, so nothing is said about lost writes.';
  return [
    '**Writes, read back from the survivor**',
    table(['Ledger', 'Read on', 'Tried', 'Durable', 'Lost', 'Indeterminate', 'Rejected', 'Lost window', 'Longest gap'], rows, ''),
    rows.length === 0
      ? ''
      : 'Lost: acknowledged and absent. Indeterminate: not acknowledged but present, a blind retry would duplicate it. Rejected: not acknowledged and absent.',
    unknown.join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function at(t: number): string {
  return `+${(t / 1_000).toFixed(1)}s`;
}
