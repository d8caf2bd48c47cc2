/** Axes: round numbers at round distances, and labels that do not cover each other. */
import { formatQuantity, type Unit } from '../core/units.ts';

const valueSteps: Readonly<Record<Unit, readonly number[]>> = {
  ratio: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5],
  duration: [],
  count: [],
};

const timeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400].map(
  (seconds) => seconds * 1_000,
);

/** Ticks from 0 to at least `top`, at most seven; a ratio's axis ends at 100 %. */
export function valueTicks(top: number, unit: Unit): number[] {
  const safeTop = top > 0 && Number.isFinite(top) ? top : 1;
  const capped = unit === 'ratio' ? Math.min(safeTop, 1) : safeTop;
  const step = valueSteps[unit].find((candidate) => capped / candidate <= 5) ?? decimalStep(safeTop / 5);
  const count = Math.ceil(capped / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

function decimalStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= least * (1 - 1e-9)) ?? 10) * power;
}

/** Ticks at round times within `from`–`to`, at most about ten. */
export function timeTicks(from: number, to: number): number[] {
  const step = timeSteps.find((candidate) => (to - from) / candidate <= 10) ?? Math.ceil((to - from) / 10 / 86_400_000) * 86_400_000;
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, index) => first + index * step);
}

/** `0:05`, `12:30`, `1:02:30` since the run's start. */
export function clockLabel(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

export function valueLabel(value: number, unit: Unit): string {
  if (unit === 'ratio') return `${Number((value * 100).toPrecision(4))} %`;
  if (value === 0) return '0';
  if (unit === 'count') return String(Number(value.toPrecision(12)));
  // Two ticks must not read the same: 1 s, 1.25 s, 1.5 s.
  if (unit === 'duration' && value < 60_000)
    return value < 1_000 ? `${Number(value.toPrecision(4))} ms` : `${Number((value / 1_000).toPrecision(4))} s`;
  return formatQuantity(value, unit);
}

/** Moves positions apart until neighbours keep `distance`, staying within `low`–`high` where there is room. Same order as given. */
export function spread(positions: readonly number[], distance: number, low: number, high: number): number[] {
  const order = positions.map((position, index) => ({ position, index })).sort((a, b) => a.position - b.position);
  let floor = low;
  for (const item of order) {
    item.position = Math.max(item.position, floor);
    floor = item.position + distance;
  }
  let ceiling = high;
  for (const item of order.toReversed()) {
    item.position = Math.min(item.position, ceiling);
    ceiling = item.position - distance;
  }
  const result = [...positions];
  for (const item of order) result[item.index] = item.position;
  return result;
}
