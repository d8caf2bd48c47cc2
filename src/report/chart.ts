/**
 * A line chart as SVG text: one series, its limits, the time a fault was there, and marks. No script, no outside font, light and dark by
 * media query, the same bytes for the same data. It stands beside the report as a file, because code hosts strip inline SVG.
 */
import type { Unit } from '../core/units.ts';
import { type Point, thin } from '../journal/fold-series.ts';
import { clockLabel, spread, timeTicks, valueLabel, valueTicks } from './chart-scale.ts';

export interface ChartLine {
  readonly value: number;
  readonly label: string;
  readonly level: 'warning' | 'severe' | 'fatal';
}

export interface ChartSpan {
  readonly from: number;
  readonly to: number;
  readonly label: string;
}

export interface ChartMark {
  readonly t: number;
  readonly label: string;
  readonly tone: 'abort' | 'event' | 'good';
}

export interface Chart {
  /** Makes the ids in the file unique; letters, digits and dashes. */
  readonly id: string;
  readonly title: string;
  /** Said to people who cannot see it. */
  readonly description: string;
  readonly unit: Unit;
  /** In order of time, ms since the run's start. */
  readonly points: readonly Point[];
  readonly from: number;
  readonly to: number;
  readonly lines: readonly ChartLine[];
  readonly spans: readonly ChartSpan[];
  readonly marks: readonly ChartMark[];
}

const width = 820;
const height = 300;
const plot = { left: 64, right: 690, top: 62, bottom: 258 } as const;

const style = `text{font:12px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif;fill:#1f2328}
.title{font-size:14px;font-weight:600}.muted{fill:#59636e}.paper{fill:#fff}.grid{stroke:#d1d9e0}.axis{stroke:#818b98}
.series{fill:none;stroke:#0969da;stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}.lone{fill:#0969da}
.span{fill:#cf222e;fill-opacity:.09}.edge{stroke:#cf222e;stroke-opacity:.45}.spanlabel{fill:#a40e26;stroke:#fff;stroke-width:3px;stroke-linejoin:round;paint-order:stroke}
.limit{stroke-width:1.4}.fatal{stroke:#cf222e}.severe{stroke:#bc4c00;stroke-dasharray:8 4}.warning{stroke:#9a6700;stroke-dasharray:2 4}
text.fatal,text.severe,text.warning,text.abort,text.event,text.good{stroke:none}
text.fatal{fill:#cf222e}text.severe{fill:#bc4c00}text.warning{fill:#7d4e00}
.mark{stroke-width:1.4}.abort{stroke:#8250df}.event{stroke:#59636e;stroke-dasharray:3 3}.good{stroke:#1a7f37;stroke-dasharray:6 3}
text.abort{fill:#8250df;font-weight:600}text.event{fill:#59636e}text.good{fill:#1a7f37}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.muted{fill:#9198a1}.paper{fill:#0d1117}.grid{stroke:#2f353d}.axis{stroke:#656c76}
.series{stroke:#58a6ff}.lone{fill:#58a6ff}.span{fill:#f85149;fill-opacity:.16}.edge{stroke:#f85149}.spanlabel{fill:#ff7b72;stroke:#0d1117}
.fatal{stroke:#f85149}.severe{stroke:#f0883e}.warning{stroke:#d29922}text.fatal{fill:#f85149}text.severe{fill:#f0883e}text.warning{fill:#d29922}
.abort{stroke:#bc8cff}.event{stroke:#9198a1}.good{stroke:#3fb950}text.abort{fill:#bc8cff}text.event{fill:#9198a1}text.good{fill:#3fb950}}`;

/** The file's whole text, ending with a line break. */
export function renderChart(chart: Chart): string {
  const scale = scaleOf(chart);
  const ids = { title: `${chart.id}-title`, description: `${chart.id}-description` };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="${ids.title} ${ids.description}">`,
    `<title id="${ids.title}">${escapeXml(chart.title)}</title>`,
    `<desc id="${ids.description}">${escapeXml(chart.description)}</desc>`,
    `<style>${style}</style>`,
    `<rect class="paper" width="${width}" height="${height}" rx="6"/>`,
    `<text class="title" x="${plot.left}" y="22">${escapeXml(chart.title)}</text>`,
    ...spans(chart, scale),
    ...axes(chart, scale),
    ...series(chart, scale),
    ...limits(chart, scale),
    ...marks(chart, scale),
    ...spanLabels(chart, scale),
    '</svg>',
    '',
  ].join('\n');
}

interface Scale {
  readonly ticks: readonly number[];
  x(t: number): number;
  y(value: number): number;
}

function scaleOf(chart: Chart): Scale {
  const highest = chart.points.reduce((top, point) => Math.max(top, point.value ?? 0), 0);
  const limit = chart.lines.reduce((top, line) => Math.max(top, line.value), 0);
  const ticks = valueTicks(Math.max(highest, limit * 1.05), chart.unit);
  const top = ticks.at(-1) ?? 1;
  const span = Math.max(1, chart.to - chart.from);
  return {
    ticks,
    x: (t) => round(plot.left + ((Math.min(Math.max(t, chart.from), chart.to) - chart.from) / span) * (plot.right - plot.left)),
    y: (value) => round(plot.bottom - (Math.min(Math.max(value, 0), top) / top) * (plot.bottom - plot.top)),
  };
}

function axes(chart: Chart, { ticks, x, y }: Scale): string[] {
  const horizontal = ticks.flatMap((tick) => [
    `<line class="${tick === 0 ? 'axis' : 'grid'}" x1="${plot.left}" x2="${plot.right}" y1="${y(tick)}" y2="${y(tick)}"/>`,
    `<text class="muted" x="${plot.left - 8}" y="${y(tick) + 4}" text-anchor="end">${escapeXml(valueLabel(tick, chart.unit))}</text>`,
  ]);
  const vertical = timeTicks(chart.from, chart.to).flatMap((tick) => [
    `<line class="axis" x1="${x(tick)}" x2="${x(tick)}" y1="${plot.bottom}" y2="${plot.bottom + 4}"/>`,
    `<text class="muted" x="${x(tick)}" y="${plot.bottom + 18}" text-anchor="middle">${clockLabel(tick)}</text>`,
  ]);
  const name = `<text class="muted" x="${(plot.left + plot.right) / 2}" y="${height - 8}" text-anchor="middle">time since the run began</text>`;
  return [...horizontal, ...vertical, name];
}

function spans(chart: Chart, { x }: Scale): string[] {
  return chart.spans.flatMap((span) => {
    const [from, to] = [x(span.from), x(span.to)];
    const edge = (at: number): string => `<line class="edge" x1="${at}" x2="${at}" y1="${plot.top}" y2="${plot.bottom}"/>`;
    const size = `width="${round(Math.max(1, to - from))}" height="${plot.bottom - plot.top}"`;
    return [`<rect class="span" x="${from}" y="${plot.top}" ${size}/>`, edge(from), edge(to)];
  });
}

/** Drawn last, over lines and marks; the names of several faults stand below one another. */
function spanLabels(chart: Chart, { x }: Scale): string[] {
  return chart.spans.map((span, index) => {
    const [from, to] = [x(span.from), x(span.to)];
    const late = from > plot.left + (plot.right - plot.left) * 0.75;
    const place = late ? `x="${round(to - 5)}" text-anchor="end"` : `x="${round(from + 5)}"`;
    return `<text class="spanlabel" ${place} y="${plot.top + 14 + (index % 8) * 15}">${escapeXml(shorten(span.label, 60))}</text>`;
  });
}

/** A new stroke after each gap; a lone point between two gaps is a dot, or it would not be seen. */
function series(chart: Chart, { x, y }: Scale): string[] {
  const strokes: Point[][] = [[]];
  for (const point of thin(chart.points, chart.from, chart.to, plot.right - plot.left)) {
    if (point.value === undefined) strokes.push([]);
    else strokes.at(-1)?.push(point);
  }
  const place = (point: Point): string => `${x(point.t)} ${y(point.value ?? 0)}`;
  const long = strokes.filter((stroke) => stroke.length > 1);
  const path = long.map((stroke) => `M${stroke.map(place).join('L')}`).join('');
  const lone = strokes.flatMap((stroke) => (stroke.length === 1 ? stroke : []));
  return [
    ...(path === '' ? [] : [`<path class="series" d="${path}"/>`]),
    ...lone.map((point) => `<circle class="lone" cx="${x(point.t)}" cy="${y(point.value ?? 0)}" r="2"/>`),
    ...(path === '' && lone.length === 0
      ? [`<text class="muted" x="${(plot.left + plot.right) / 2}" y="${(plot.top + plot.bottom) / 2}" text-anchor="middle">no data</text>`]
      : []),
  ];
}

function limits(chart: Chart, { y }: Scale): string[] {
  const heights = spread(
    chart.lines.map((line) => y(line.value) + 4),
    14,
    plot.top + 4,
    plot.bottom + 2,
  );
  return chart.lines.flatMap((line, index) => [
    `<line class="limit ${line.level}" x1="${plot.left}" x2="${plot.right}" y1="${y(line.value)}" y2="${y(line.value)}"/>`,
    `<text class="${line.level}" x="${plot.right + 8}" y="${round(heights[index] ?? y(line.value))}">${escapeXml(line.label)}</text>`,
  ]);
}

/** Labels above the plot, in two rows so that neighbours stay readable. */
function marks(chart: Chart, { x }: Scale): string[] {
  const inOrder = chart.marks.toSorted((a, b) => a.t - b.t);
  return inOrder.flatMap((mark, index) => {
    const at = x(mark.t);
    const row = index % 2 === 0 ? plot.top - 6 : plot.top - 20;
    const anchor = at > plot.right - 50 ? 'end' : at < plot.left + 50 ? 'start' : 'middle';
    return [
      `<line class="mark ${mark.tone}" x1="${at}" x2="${at}" y1="${row + 3}" y2="${plot.bottom}"/>`,
      `<text class="${mark.tone}" x="${at}" y="${row}" text-anchor="${anchor}">${escapeXml(mark.label)}</text>`,
    ];
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function shorten(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

/** Characters that XML 1.0 forbids are dropped, those that it reads are escaped. */
export function escapeXml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: stripping them is the point
  const allowed = text.replace(/[\u0000-\u001f\u007f-\u009f\ufffe\uffff\p{Surrogate}]/gu, ' ');
  return allowed.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
