import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Point, sparkline, thin } from '../../../src/journal/fold-series.ts';

const series = fc.array(fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: undefined, freq: 8 }), { minLength: 1, maxLength: 3_000 });

function pointsOf(values: readonly (number | undefined)[]): Point[] {
  return values.map((value, t) => ({ t, value }));
}

test('thinning keeps the highest and the lowest value, the order, and the limit on points', () => {
  fc.assert(
    fc.property(series, fc.integer({ min: 1, max: 200 }), (values, columns) => {
      const points = pointsOf(values);
      const kept = thin(points, 0, values.length, columns);
      const numbers = (list: readonly Point[]) => list.flatMap((point) => (point.value === undefined ? [] : [point.value]));
      const extremes = (list: readonly number[]) => [Math.min(...list), Math.max(...list)];

      expect(extremes(numbers(kept))).toEqual(extremes(numbers(points)));
      expect(kept.map((point) => point.t)).toEqual(kept.map((point) => point.t).toSorted((a, b) => a - b));
      expect(kept.length).toBeLessThanOrEqual(Math.max(columns * 3, points.length <= columns * 2 ? points.length : 0));
    }),
  );
});

test('thinning does not close a gap', () => {
  const values = [...Array.from({ length: 500 }, () => 1), undefined, ...Array.from({ length: 500 }, () => 1)];

  expect(thin(pointsOf(values), 0, values.length, 20).some((point) => point.value === undefined)).toBe(true);
});

test('a sparkline shows zero lowest, the top highest, and a dot where there was no data', () => {
  const points = pointsOf([0, 0, 1, 100, undefined, 50]);

  expect(sparkline(points, 6, { from: 0, to: 6 })).toBe('▁▁▂█·▄');
  expect(sparkline([], 4, { from: 0, to: 6 })).toBe('····');
  expect(sparkline(points, 0, { from: 0, to: 6 })).toBe('');
});
