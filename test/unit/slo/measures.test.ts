import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestRank, parseMeasure } from '../../../src/slo/measures.ts';

describe('parseMeasure', () => {
  it.each([
    ['error-rate', { kind: 'error-rate' }],
    ['max', { kind: 'max' }],
    ['p50', { kind: 'quantile', thousandths: 500 }],
    ['p99', { kind: 'quantile', thousandths: 990 }],
    ['p99.9', { kind: 'quantile', thousandths: 999 }],
    ['value', { kind: 'value', of: 'last' }],
    ['value-mean', { kind: 'value', of: 'mean' }],
  ])('knows %s', (name, measure) => {
    expect(parseMeasure(name)).toEqual(measure);
  });

  it.each(['p0', 'p100', 'p999', 'p99.99', 'mean', 'P99', 'value-p99', 'toString', ''])('does not know %j', (name) => {
    expect(parseMeasure(name)).toBe(undefined);
  });
});

describe('nearestRank', () => {
  it('is the smallest value that at least q of all do not exceed', () => {
    const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(values, fc.constantFrom(1, 500, 900, 950, 990, 999, 1_000), (list, thousandths) => {
        const sorted = list.toSorted((a, b) => a - b);
        const naive = sorted.find((value) => list.filter((other) => other <= value).length * 1_000 >= thousandths * list.length);

        expect(nearestRank(sorted, thousandths)).toBe(naive);
      }),
    );
  });

  it('takes rank 999 of 1000 for p99.9', () => {
    const sorted = Array.from({ length: 1_000 }, (_, index) => index + 1);

    expect(nearestRank(sorted, 999)).toBe(999);
    expect(nearestRank(sorted, 990)).toBe(990);
  });
});
