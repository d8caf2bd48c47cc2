import { describe, expect, it } from 'vitest';
import { every, lagOne, thinningFor } from '../../../src/slo/autocorrelation.ts';
import { compareErrors, compareSeries, leastEffective, z98 } from '../../../src/slo/compare.ts';
import { newcombe, wilson } from '../../../src/slo/proportions.ts';
import { normal, type Random, seeded } from '../../../src/slo/random.ts';
import { midranks, shiftBetween } from '../../../src/slo/ranks.ts';

const z95 = 1.959_963_984_540_054;

/** All pairs, sorted: slow and plain. */
function naiveShift(before: readonly number[], after: readonly number[], z: number) {
  const differences = before.flatMap((x) => after.map((y) => y - x)).sort((a, b) => a - b);
  const pairs = differences.length;
  const total = before.length + after.length;
  const counts = new Map<number, number>();
  for (const value of [...before, ...after]) counts.set(value, (counts.get(value) ?? 0) + 1);
  const ties = [...counts.values()].reduce((sum, t) => sum + t ** 3 - t, 0);
  const k = Math.max(1, Math.floor(pairs / 2 - z * Math.sqrt((pairs / 12) * (total + 1 - ties / (total * (total - 1))))));
  const middle = [differences[Math.ceil(pairs / 2) - 1] ?? 0, differences[Math.floor(pairs / 2)] ?? 0];
  const wins = differences.filter((d) => d > 0).length + differences.filter((d) => d === 0).length / 2;
  return {
    estimate: ((middle[0] ?? 0) + (middle[1] ?? 0)) / 2,
    low: differences[k - 1],
    high: differences[pairs - k],
    cles: wins / pairs,
  };
}

describe('shiftBetween', () => {
  it('gives the interval of the globulin example (Campbell and Gardner 1988): 95 % from -10 to 1', () => {
    const first = [38, 26, 29, 41, 36, 31, 32, 30, 35, 33];
    const second = [45, 28, 27, 38, 40, 42, 39, 39, 34, 45];

    expect(shiftBetween(second, first, z95)).toEqual({ estimate: -5.5, low: -10, high: 1, cles: 0.265 });
  });

  it('gives what numpy and scipy (mannwhitneyu) give for 70 and 90 values with ties', () => {
    const before = Array.from({ length: 70 }, (_, i) => Math.round((40 + ((i * 37) % 101) * 0.5 + ((i * 17) % 13) ** 2 * 0.1) * 100) / 100);
    const after = Array.from({ length: 90 }, (_, i) => Math.round((52 + ((i * 53) % 97) * 0.6 + ((i * 29) % 11) ** 2 * 0.2) * 100) / 100);

    const shift = shiftBetween(before, after, z98);

    expect(shift.estimate).toBeCloseTo(18.05, 9);
    expect(shift.low).toBeCloseTo(10.3, 9);
    expect(shift.high).toBeCloseTo(25.3, 9);
    expect(shift.cles).toBeCloseTo(0.741_269_841_269_841, 12);
  });

  it('gives what all pairs, sorted, give, whatever the sizes and the ties', () => {
    const random = seeded(41);
    for (let round = 0; round < 60; round++) {
      const coarse = 10 ** (round % 4);
      const values = (n: number, by: number) => Array.from({ length: n }, () => Math.round((normal(random) + by) * coarse) / coarse + 0);
      const before = values(1 + Math.floor(random() * 40), 0);
      const after = values(1 + Math.floor(random() * 40), random());

      expect(shiftBetween(before, after, z98)).toEqual(naiveShift(before, after, z98));
    }
  });

  it('compares an hour of samples on either side in a moment', () => {
    const random = seeded(42);
    const [before, after] = [0, 0.2].map((by) => Array.from({ length: 36_000 }, () => Math.exp(normal(random) + by)));
    const began = performance.now();

    const { estimate } = shiftBetween(before ?? [], after ?? [], z98);

    expect(estimate).toBeGreaterThan(0);
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

describe('midranks', () => {
  it('shares ranks among equals', () => {
    expect(midranks([30, 10, 20, 10, 30, 30])).toEqual([5, 1.5, 3, 1.5, 5, 5]);
    expect(midranks([])).toEqual([]);
  });
});

describe('intervals for shares', () => {
  // Newcombe 1998, Statistics in Medicine 17, 857-872, table I.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %i in %i are those of Wilson', (events, n, low, high) => {
    const interval = wilson({ value: events / n, n }, z95);

    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  // The same volume, 873-890, table II, method 10.
  it.each([
    [56, 70, 48, 80, 0.0524, 0.3339],
    [9, 10, 3, 10, 0.1705, 0.809],
    [5, 56, 0, 29, -0.0381, 0.1926],
    [0, 10, 0, 20, -0.1611, 0.2775],
    [10, 10, 0, 20, 0.6791, 1],
  ])('of %i/%i less %i/%i are those of Newcombe', (a, m, b, n, low, high) => {
    const interval = newcombe({ value: b / n, n }, { value: a / m, n: m }, z95);

    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('of nothing are everything', () => {
    expect(wilson({ value: 0, n: 0 }, z95)).toEqual({ low: 0, high: 1 });
  });
});

/** Gaussian noise whose neighbours correlate by `phi`, as latencies. */
function autoregressive(phi: number, n: number, random: Random): number[] {
  let state = normal(random);
  return Array.from({ length: n }, () => {
    state = phi * state + Math.sqrt(1 - phi * phi) * normal(random);
    return Math.exp(4 + 0.5 * state);
  });
}

describe('autocorrelation', () => {
  it.each([0, 0.5, 0.7])('of a series of %d is found', (phi) => {
    // Of ranks it is a little lower: 6/π · arcsin(φ/2).
    const ofRanks = (6 / Math.PI) * Math.asin(phi / 2);

    expect(lagOne(autoregressive(phi, 4_000, seeded(7)))).toBeCloseTo(ofRanks, 1);
  });

  it('of a constant is none, and of nothing too', () => {
    expect([lagOne([4, 4, 4]), lagOne([1]), lagOne([])]).toEqual([0, 0, 0]);
  });

  it('thins as much as it must', () => {
    expect([-0.4, 0, 0.2, 1 / 3, 0.5, 0.7].map(thinningFor)).toEqual([1, 1, 2, 2, 3, 6]);
    expect(thinningFor(1)).toBeGreaterThan(1_000);
    expect(every([0, 1, 2, 3, 4, 5, 6], 3)).toEqual([0, 3, 6]);
  });

  it.each([0, 0.5, 0.7])('of %d makes few false alarms by the interval, and none with the effect size', (phi) => {
    const random = seeded(51);
    const runs = 250;
    let [byInterval, byAll] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const result = compareSeries(autoregressive(phi, 600, random), autoregressive(phi, 600, random));
      if (result === undefined) throw new Error('no result');
      expect(result.before.effective).toBeGreaterThanOrEqual(leastEffective);
      if (result.finding !== 'unproved') byInterval++;
      if (result.finding === 'higher' || result.finding === 'lower') byAll++;
    }

    // Nominal 2 %, of 250 runs; without thinning it is more than 15 % from 0.5 on.
    expect(byInterval / runs).toBeLessThanOrEqual(0.05);
    expect(byAll).toBe(0);
  });

  it('not thinned away would make many false alarms', () => {
    const random = seeded(52);
    let alarms = 0;
    for (let run = 0; run < 200; run++) {
      const { low, high } = shiftBetween(autoregressive(0.7, 60, random), autoregressive(0.7, 60, random), z98);
      if (low > 0 || high < 0) alarms++;
    }

    expect(alarms / 200).toBeGreaterThan(0.2);
  });
});

describe('compareSeries', () => {
  const random = seeded(61);
  const before = autoregressive(0, 300, random);

  it('finds what became slower or faster', () => {
    const [slower, faster] = [2, 0.5].map((factor) =>
      compareSeries(
        before,
        autoregressive(0, 300, random).map((value) => value * factor),
      ),
    );

    expect(slower).toMatchObject({ finding: 'higher' });
    expect(slower?.shift.low).toBeGreaterThan(0);
    expect(faster).toMatchObject({ finding: 'lower' });
  });

  it('does not call a change what is proved but small', () => {
    const steady = Array.from({ length: 300 }, (_, index) => 100 + ((index * 7) % 11) / 10);
    const shifted = steady.map((value) => value + 5);

    expect(compareSeries(steady, shifted)).toMatchObject({ finding: 'small', shift: { cles: 1 } });
    expect(
      compareSeries(
        steady,
        steady.map((value) => value + 20),
      ),
    ).toMatchObject({ finding: 'higher' });
  });

  it('says nothing with fewer than fifty independent samples on a side, and with none', () => {
    expect(compareSeries(before.slice(0, 49), before)?.finding).toBe('inconclusive');
    expect(compareSeries(autoregressive(0.9, 300, random), before)?.finding).toBe('inconclusive');
    expect(compareSeries([], before)).toBeUndefined();
  });
});

describe('compareErrors', () => {
  const failing = (n: number, failed: number): boolean[] => Array.from({ length: n }, (_, index) => (index * 37) % n < failed);

  it('finds more and fewer failures, and does not find what may be chance', () => {
    expect(compareErrors(failing(101, 0), failing(199, 30))?.finding).toBe('higher');
    expect(compareErrors(failing(199, 40), failing(199, 2))?.finding).toBe('lower');
    expect(compareErrors(failing(101, 0), failing(199, 3))?.finding).toBe('unproved');
  });

  it('takes a row of failures for an effect, not for noise', () => {
    const outage = [...new Array<boolean>(160).fill(false), ...new Array<boolean>(40).fill(true)];

    expect(compareErrors(failing(101, 0), outage)).toMatchObject({ finding: 'higher', during: { value: 0.2, effective: 200 } });
  });

  it('needs no fifty samples to see an outage, but does to say that there was none', () => {
    expect(compareErrors(failing(101, 0), failing(15, 14))?.finding).toBe('higher');
    expect(compareErrors(failing(101, 0), failing(15, 0))?.finding).toBe('inconclusive');
  });

  it('trusts a baseline less in which failures come in rows', () => {
    const rows = Array.from({ length: 200 }, (_, index) => index % 50 < 10);

    expect(compareErrors(rows, failing(199, 60))).toMatchObject({ finding: 'inconclusive', before: { samples: 200 } });
    expect(compareErrors(failing(199, 40), failing(199, 60))).toMatchObject({ finding: 'unproved' });
    expect(compareErrors(failing(199, 40), failing(199, 80))).toMatchObject({ finding: 'higher' });
    expect(compareErrors([], rows)).toBeUndefined();
  });
});
