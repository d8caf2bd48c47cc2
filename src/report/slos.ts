/** One chart an SLO, as a file beside the report, with a sparkline for terminals and diffs and the numbers in a table. */
import { plural } from '../core/text.ts';
import { formatQuantity } from '../core/units.ts';
import { injectedFaults, least, most, type Stamps, stampsOf } from '../journal/fold-facts.ts';
import { sparkline } from '../journal/fold-series.ts';
import type { RunState, SloPoint } from '../journal/fold-state.ts';
import { faultName, oneLine } from '../journal/fold-words.ts';
import type { PlannedSlo } from '../plan/plan.ts';
import { parseMeasure } from '../slo/measures.ts';
import { enoughFor } from '../slo/quantile-interval.ts';
import { type Chart, type ChartLine, renderChart } from './chart.ts';
import { code, fenced, safe, table } from './escape.ts';

export interface ReportFile {
  /** Relative to the report. */
  readonly name: string;
  readonly content: string;
}

export interface SloSection {
  readonly markdown: string;
  readonly files: readonly ReportFile[];
}

export function sloSection(state: RunState): SloSection {
  const slos = state.plan?.slos ?? [];
  if (slos.length === 0) return { markdown: 'The experiment watched no SLO.', files: [] };
  const names = fileNames(slos);
  const drawn = slos.map((slo, index) => draw(state, slo, names[index] ?? `slo-${index}.svg`));
  return { markdown: drawn.map((part) => part.markdown).join('\n\n'), files: drawn.flatMap((part) => part.files) };
}

/** Safe in a path and in a link, and different from each other. */
function fileNames(slos: readonly PlannedSlo[]): string[] {
  const used = new Set<string>();
  return slos.map((slo, index) => {
    const plain = `slo-${slo.name
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, '-')
      .slice(0, 80)}`;
    const name = used.has(plain) ? `${plain}-${index}` : plain;
    used.add(name);
    return `${name}.svg`;
  });
}

function draw(state: RunState, slo: PlannedSlo, name: string): SloSection {
  const points = state.slos.get(slo.name) ?? [];
  const heading = `### ${safe(slo.name)}\n\n${sentence(slo)}${fewInWindow(slo, points)}`;
  if (points.length === 0) return { markdown: `${heading}\n\nIt was never measured.`, files: [] };
  const chart = chartOf(state, slo, points, name.replace(/\.svg$/, ''));
  const line = sparkline(points, 60, { from: chart.from, to: chart.to });
  const parts = [
    heading,
    `![${safe(chart.description)}](${name})`,
    fenced(`${line}  ${oneLine(slo.name)}`, 'text'),
    numbers(state, slo, points),
  ];
  return { markdown: parts.join('\n\n'), files: [{ name, content: renderChart(chart) }] };
}

function sentence(slo: PlannedSlo): string {
  const limits = limitLines(slo).map((line) => safe(line.label));
  return `${safe(slo.measure)} of probe ${code(slo.probe)} over ${formatQuantity(slo.windowMs, 'duration')}; ${limits.join(', ') || 'no limits'}.`;
}

/** A p99 of a hundred samples is the second slowest of them. */
function fewInWindow(slo: PlannedSlo, points: readonly SloPoint[]): string {
  const measure = parseMeasure(slo.measure);
  if (measure?.kind !== 'quantile') return '';
  const counts = points.map(({ samples }) => samples).sort((a, b) => a - b);
  const usual = counts[Math.floor(counts.length / 2)];
  if (usual === undefined || usual === 0 || enoughFor(usual, measure.thousandths)) return '';
  const deciding = usual - Math.max(1, Math.ceil((usual * measure.thousandths) / 1_000)) + 1;
  return ` With about ${plural(usual, 'sample')} in a window the ${deciding === 1 ? 'slowest decides' : `${deciding} slowest decide`}: it says little about the quantile itself.`;
}

function limitLines(slo: PlannedSlo): ChartLine[] {
  return (['warning', 'severe', 'fatal'] as const).flatMap((level) => {
    const limit = slo[level];
    return limit === undefined ? [] : [{ level, value: limit.value, label: `${level} ${limit.text}` }];
  });
}

function chartOf(state: RunState, slo: PlannedSlo, points: readonly SloPoint[], id: string): Chart {
  const stamps = stampsOf(state);
  const to = endOfMeasuring(state, points);
  const worst = most(points.map((point) => point.value));
  const spans = injectedFaults(state).map((fault) => ({
    from: fault.injecting?.t ?? 0,
    to: fault.clean === true ? (fault.reverted?.t ?? to) : to,
    label: `${oneLine(faultName(state, fault.step))}${fault.clean === true ? '' : ' (not proved gone)'}`,
  }));
  const seen = worst === undefined ? 'no data' : `${formatQuantity(worst, slo.unit)} at worst`;
  const limits = limitLines(slo);
  return {
    id,
    title: `${oneLine(slo.name)}: ${oneLine(slo.measure)} over ${formatQuantity(slo.windowMs, 'duration')}`,
    description: `${oneLine(slo.name)} over the run: ${seen}; ${limits.map((line) => line.label).join(', ') || 'no limits'}`,
    unit: slo.unit,
    points: withGaps(points),
    from: 0,
    to,
    lines: limits,
    spans,
    marks: marksOf(state, stamps).filter((mark) => mark.t <= to),
  };
}

/** A recovery may come hours after the runner died; the chart ends where the run did. */
function endOfMeasuring(state: RunState, points: readonly SloPoint[]): number {
  const [recovery] = state.recoveries;
  const last = recovery === undefined ? state.last?.t : state.log.findLast((event) => event.seq < recovery.seq)?.t;
  return most([last, points.at(-1)?.t, 1]) ?? 1;
}

/** A stretch without any value reported is a gap too: at least three times the usual distance, and two seconds. */
function withGaps(points: readonly SloPoint[]): SloPoint[] {
  const distances = points.slice(1).map((point, index) => point.t - (points[index]?.t ?? 0));
  const usual = distances.toSorted((a, b) => a - b)[Math.floor(distances.length / 2)] ?? 0;
  const longest = Math.max(2_000, usual * 3);
  return points.flatMap((point, index) => {
    const before = points[index - 1];
    return before !== undefined && point.t - before.t > longest ? [{ t: before.t + 1, value: undefined, samples: 0 }, point] : [point];
  });
}

function marksOf(state: RunState, stamps: Stamps): Chart['marks'] {
  const noReturn = state.marks.find((mark) => mark.pointOfNoReturn);
  return [
    ...(noReturn === undefined ? [] : [{ t: noReturn.t, label: 'point of no return', tone: 'event' as const }]),
    ...(stamps.t6 === undefined ? [] : [{ t: stamps.t6, label: 'abort', tone: 'abort' as const }]),
    ...(stamps.t8 === undefined || stamps.t2 === undefined || stamps.t8 < stamps.t2
      ? []
      : [{ t: stamps.t8, label: 'back for good', tone: 'good' as const }]),
  ];
}

function numbers(state: RunState, slo: PlannedSlo, points: readonly SloPoint[]): string {
  const { t0 } = stampsOf(state);
  const end = state.rollbackFinished?.t ?? Number.POSITIVE_INFINITY;
  const from = t0 ?? Number.POSITIVE_INFINITY;
  const spans = [
    ['before the fault', 0, from],
    ['from injection to rollback', from, end],
    ['after rollback', end, Number.POSITIVE_INFINITY],
  ] as const;
  const rows = spans.flatMap(([name, start, stop]) => {
    const inside = points.filter((point) => point.t >= start && point.t < stop);
    const values = inside.map((point) => point.value);
    const show = (value: number | undefined): string => (value === undefined ? 'no data' : formatQuantity(value, slo.unit));
    const silent = values.filter((value) => value === undefined).length;
    if (inside.length === 0) return [];
    return [
      [
        name,
        String(inside.length),
        show(least(values)),
        show(most(values)),
        show(inside.at(-1)?.value),
        silent === 0 ? '' : String(silent),
      ],
    ];
  });
  return table(['', 'Values', 'Lowest', 'Highest', 'Last', 'Without data'], rows, 'No values.');
}
