/** What changed with the fault, probe by probe: shift and effect size of the latency, difference of the error ratio, each with its interval. */
import { plural } from '../core/text.ts';
import { formatDuration, formatQuantity } from '../core/units.ts';
import { baselineSpan, faultSpan, samplesIn } from '../journal/fold-spans.ts';
import type { RunState } from '../journal/fold-state.ts';
import type { Sample } from '../probes/contract.ts';
import { latencyOf } from '../probes/samples.ts';
import {
  clearCles,
  compareErrors,
  compareSeries,
  type ErrorComparison,
  type Finding,
  leastEffective,
  practicalMargin,
  type SeriesComparison,
} from '../slo/compare.ts';
import { code, table } from './escape.ts';

/** Empty where nothing was injected, or no baseline was measured. */
export function comparison(state: RunState): string {
  const [before, during] = [baselineSpan(state), faultSpan(state)];
  if (before === undefined || during === undefined) return '';
  const rows = [...state.samples.keys()].flatMap((probe) => {
    const [x, y] = [samplesIn(state, probe, before), samplesIn(state, probe, during)];
    const read = [...x, ...y].some(({ value }) => value !== undefined);
    return [
      ...(read ? [seriesRow(probe, value, compareSeries(valuesOf(x), valuesOf(y)))] : []),
      seriesRow(probe, latency, compareSeries(latenciesOf(x), latenciesOf(y))),
      errorRow(probe, compareErrors(failuresOf(x), failuresOf(y))),
    ];
  });
  const head = ['Probe', 'Measure', 'n', 'Effective n', 'Baseline', 'Fault', 'Shift (98 % CI)', 'CLES', 'In words'];
  return [
    '**Fault against baseline**',
    `Baseline: ${clock(before.from)} to ${clock(before.to)}, without its warm-up. Fault: ${clock(during.from)} to ${clock(during.to)}, from the first injection until the last revert began.`,
    table(head, rows, 'No probe gave samples.'),
    method,
  ].join('\n\n');
}

const percent = (ratio: number): string => formatQuantity(ratio, 'ratio');

const method = [
  'Latency: of samples that succeeded, from the intended start. Value: the number that the probe read. Medians; the shift is that of Hodges and Lehmann. Effective n: samples left after',
  'neighbours that are alike were thinned out (lag-1 autocorrelation). It is called a change only if the interval excludes 0, CLES (how often the fault',
  `has the larger one of a pair) is at least ${clearCles} or at most ${(1 - clearCles).toFixed(2)}, and the shift exceeds ${percent(practicalMargin)} of the baseline; with under ${leastEffective} effective samples a side, nothing is said.`,
  'Failed: shares with Wilson intervals, their difference with that of Newcombe. Before and after is no controlled comparison: what else changed then is in it too.',
].join(' ');

interface Series {
  readonly name: string;
  readonly higher: string;
  readonly lower: string;
  format(value: number): string;
}

const latency: Series = { name: 'latency', higher: 'slower', lower: 'faster', format: formatDuration };
const value: Series = { name: 'value', higher: 'higher', lower: 'lower', format: (read) => formatQuantity(read, 'count') };

function latenciesOf(samples: readonly Sample[]): number[] {
  return samples.filter(({ ok }) => ok).map(latencyOf);
}

function valuesOf(samples: readonly Sample[]): number[] {
  return samples.flatMap((sample) => sample.value ?? []);
}

function failuresOf(samples: readonly Sample[]): boolean[] {
  return samples.map(({ ok }) => !ok);
}

function seriesRow(probe: string, { name, higher, lower, format }: Series, found: SeriesComparison | undefined): string[] {
  if (found === undefined) return [code(probe), name, '', '', '', '', '', '', 'no samples to compare'];
  const { before, during, shift, finding } = found;
  const relative = before.median > 0 ? `, ${signed(shift.estimate / before.median, percent)}` : '';
  return [
    code(probe),
    name,
    pair(before.samples, during.samples),
    pair(before.effective, during.effective),
    format(before.median),
    format(during.median),
    `${signed(shift.estimate, format)}${relative} (${signed(shift.low, format)} to ${signed(shift.high, format)})`,
    shift.cles.toFixed(2),
    words(finding, before.effective, during.effective, higher, lower),
  ];
}

function errorRow(probe: string, found: ErrorComparison | undefined): string[] {
  if (found === undefined) return [code(probe), 'failed', '', '', '', '', '', '', 'no samples to compare'];
  const { before, during, difference, finding } = found;
  const share = ({ value, low, high }: ErrorComparison['before']): string => `${percent(value)} (${percent(low)} to ${percent(high)})`;
  return [
    code(probe),
    'failed',
    pair(before.samples, during.samples),
    pair(before.effective, during.effective),
    share(before),
    share(during),
    `${signed(difference.estimate, percent)} (${signed(difference.low, percent)} to ${signed(difference.high, percent)})`,
    '',
    words(finding, before.effective, during.effective, 'more failures', 'fewer failures'),
  ];
}

function words(finding: Finding, before: number, during: number, higher: string, lower: string): string {
  switch (finding) {
    case 'higher':
      return `**${higher}**`;
    case 'lower':
      return `**${lower}**`;
    case 'small':
      return 'a difference too small to be called a change';
    case 'unproved':
      return 'no change shown';
    case 'inconclusive':
      return `inconclusive: ${plural(Math.min(before, during), 'effective sample')}, ${leastEffective} are needed`;
  }
}

function pair(before: number, during: number): string {
  return `${before} / ${during}`;
}

function signed(value: number, format: (value: number) => string): string {
  return value < 0 ? `-${format(-value)}` : `+${format(value)}`;
}

function clock(t: number): string {
  return `+${(t / 1_000).toFixed(1)}s`;
}
