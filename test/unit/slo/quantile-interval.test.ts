import { describe, expect, it } from 'vitest';
import { enoughFor, quantileOf } from '../../../src/slo/quantile-interval.ts';
import { seeded } from '../../../src/slo/random.ts';

const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

describe('quantileOf', () => {
  it('gives the ranks 984 to 997 for the p99 of 1,000', () => {
    expect(quantileOf(upTo(1_000), 990)).toEqual({ value: 990, low: 984, high: 997 });
  });

  it('gives nothing where fewer than ten samples lie beyond', () => {
    expect(quantileOf(upTo(999), 990)).toBeUndefined();
    expect(quantileOf(upTo(99), 900)).toBeUndefined();
    expect(quantileOf(upTo(100), 900)).toMatchObject({ value: 90 });
    expect(quantileOf([], 500)).toBeUndefined();
    expect([19, 20].map((n) => enoughFor(n, 500))).toEqual([false, true]);
    expect([9_999, 10_000].map((n) => enoughFor(n, 999))).toEqual([false, true]);
  });

  it.each([500, 900, 990])('covers the true one of %d thousandths in about 95 of 100 cases', (thousandths) => {
    const random = seeded(71);
    const runs = 300;
    const covered = Array.from({ length: runs }, () => {
      const sorted = Array.from({ length: 1_200 }, () => random()).sort((a, b) => a - b);
      const { low, high } = quantileOf(sorted, thousandths) ?? { low: 1, high: 0 };
      return low <= thousandths / 1_000 && thousandths / 1_000 <= high;
    }).filter(Boolean).length;

    expect(covered / runs).toBeGreaterThan(0.91);
    expect(covered / runs).toBeLessThan(0.99);
  });
});
