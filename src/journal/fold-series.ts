/** Series made smaller without hiding what matters: the spikes stay, and so do the gaps. */
export interface Point {
  /** Milliseconds since the run's start. */
  readonly t: number;
  /** Absent where there was no data. */
  readonly value: number | undefined;
}

/** At most about `2 × columns` points: the lowest and the highest of each column, in order; a column's gap stays a gap. */
export function thin(points: readonly Point[], from: number, to: number, columns: number): Point[] {
  if (points.length <= columns * 2 || to <= from) return [...points];
  const width = (to - from) / columns;
  const kept: Point[] = [];
  let column: Point[] = [];
  let current = 0;
  for (const point of points) {
    const index = Math.min(columns - 1, Math.floor((point.t - from) / width));
    if (index !== current) {
      keepExtremes(column, kept);
      column = [];
      current = index;
    }
    column.push(point);
  }
  keepExtremes(column, kept);
  return kept;
}

function keepExtremes(column: readonly Point[], kept: Point[]): void {
  let low: Point | undefined;
  let high: Point | undefined;
  let gap: Point | undefined;
  for (const point of column) {
    if (point.value === undefined) gap ??= point;
    else {
      if (low?.value === undefined || point.value < low.value) low = point;
      if (high?.value === undefined || point.value > high.value) high = point;
    }
  }
  const chosen = [...new Set([gap, low, high])].filter((point) => point !== undefined);
  kept.push(...chosen.sort((a, b) => a.t - b.t));
}

const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** `▁▁▃█▂▁`, each character the highest value of its share of the time from `from` to `to`; a `·` where there was no data. */
export function sparkline(
  points: readonly Point[],
  width: number,
  range: { readonly from: number; readonly to: number; readonly top?: number },
): string {
  const { from, to } = range;
  const cells: (number | undefined)[] = new Array(Math.max(0, width)).fill(undefined);
  for (const { t, value } of points) {
    if (value === undefined || t < from || t > to) continue;
    const index = to === from ? 0 : Math.min(width - 1, Math.floor(((t - from) / (to - from)) * width));
    const before = cells[index];
    if (index < cells.length) cells[index] = before === undefined ? value : Math.max(before, value);
  }
  const top = Math.max(range.top ?? 0, ...cells.map((value) => value ?? 0));
  return cells.map((value) => (value === undefined ? '·' : (bars[barIndex(value, top)] ?? '·'))).join('');
}

/** Only a true zero (or less) gets the lowest bar, only the top the highest. */
function barIndex(value: number, top: number): number {
  if (value <= 0 || top <= 0) return 0;
  return Math.max(1, Math.min(bars.length - 1, Math.floor((value / top) * (bars.length - 1))));
}
