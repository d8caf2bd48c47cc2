import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseComparison } from '../../../src/core/units.ts';
import { nearestRank } from '../../../src/slo/measures.ts';
import { levelOf, type SloLevel, SloTracker, steady } from '../../../src/slo/tracker.ts';

const windowMs = 1_000;
const tracker = (measure: string): SloTracker => new SloTracker({ name: 'checkout', measure, windowMs });

const sample = fc.record({ due: fc.integer({ min: 0, max: 5_000 }), took: fc.integer({ min: 0, max: 1_500 }), ok: fc.boolean() });

describe('SloTracker', () => {
  it('measures what a filter and a sort over all samples would', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 200 }), fc.constantFrom('error-rate', 'p50', 'p90', 'p99.9', 'max'), (list, measure) => {
        const samples = list.map(({ due, took, ok }) => ({ due, end: due + took, ok })).toSorted((a, b) => a.end - b.end);
        const tracked = tracker(measure);
        for (const [index, added] of samples.entries()) {
          tracked.add(added);
          const now = added.end + (index % 3) * 40;
          const next = samples[index + 1]?.end ?? Number.POSITIVE_INFINITY;
          if (now > next) continue;

          const seen = samples.slice(0, index + 1).filter(({ end }) => end >= now - windowMs && end <= now);
          expect(tracked.measure(now)).toEqual({ value: naive(measure, seen), atMost: naive(measure, seen), samples: seen.length });
        }
      }),
    );
  });

  it('measures the same whatever the order the samples of a moment come in', () => {
    const shuffled = fc
      .array(sample, { maxLength: 50 })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(
      fc.property(shuffled, ([inOrder, otherwise]) => {
        const values = [inOrder, otherwise].map((list) => {
          const tracked = tracker('p90');
          for (const { due, took, ok } of list) tracked.add({ due, end: due + took, ok });
          return tracked.measure(6_500);
        });

        expect(values[0]).toEqual(values[1]);
      }),
    );
  });

  it('measures the values that were read as a filter over all samples would, and of samples without one nothing', () => {
    const read = fc.record({ took: fc.integer({ min: 1, max: 600 }), value: fc.option(fc.double({ noNaN: true, min: -1e6, max: 1e6 })) });
    const measures = { value: last, 'value-max': Math.max, 'value-min': Math.min, 'value-mean': mean };
    fc.assert(
      fc.property(fc.array(read, { maxLength: 60 }), fc.constantFrom(...Object.keys(measures)), (list, measure) => {
        const tracked = tracker(measure);
        const seen: { end: number; value: number }[] = [];
        let now = 0;
        for (const { took, value } of list) {
          now += took;
          tracked.add({ due: now - 1, end: now, ok: value !== null, value: value ?? undefined });
          if (value !== null) seen.push({ end: now, value });

          const inside = seen.filter(({ end }) => end >= now - windowMs).map((one) => one.value);
          const { value: measured, samples } = tracked.measure(now);
          expect(samples).toBe(inside.length);
          if (inside.length === 0) expect(measured).toBe(undefined);
          else expect(measured).toBeCloseTo(measures[measure as keyof typeof measures](...inside), 6);
        }
      }),
    );
  });

  it('has no value without samples, and none again once they are out of the window', () => {
    const tracked = tracker('error-rate');
    tracked.add({ due: 0, end: 10, ok: false });

    expect(tracked.measure(1_010)).toMatchObject({ value: 1, samples: 1 });
    expect(tracked.measure(1_011)).toMatchObject({ value: undefined, samples: 0 });
  });

  it('knows a value for certain and one at most where the prober itself stood still', () => {
    const tracked = tracker('max');
    tracked.add({ due: 0, end: 40, ok: true });
    tracked.add({ due: 100, end: 400, ok: true, own: 250 });

    expect(tracked.measure(500)).toEqual({ value: 50, atMost: 300, samples: 2 });
    expect(tracked.measure(1_401)).toEqual({ value: undefined, atMost: undefined, samples: 0 });
  });

  it('takes a failure for certain only when the prober was well', () => {
    const tracked = tracker('error-rate');
    for (const due of [0, 10]) tracked.add({ due, end: due + 500, ok: true });
    tracked.add({ due: 20, end: 520, ok: false, own: 20 });
    tracked.add({ due: 30, end: 530, ok: false, own: 30 });

    expect(tracked.measure(600)).toEqual({ value: 0.25, atMost: 0.5, samples: 4 });
  });

  it('keeps no more than a window, measured or not', () => {
    const before = process.memoryUsage().heapUsed;
    const tracked = new SloTracker({ name: 'checkout', measure: 'p99', windowMs: 10_000 });

    for (let index = 0; index < 400_000; index++) tracked.add({ due: index * 5, end: index * 5 + (index % 40), ok: true });

    expect(tracked.measure(400_000 * 5).samples).toBeLessThan(2_010);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(40_000_000);
  });

  it('refuses a measure that does not exist', () => {
    expect(() => tracker('mean')).toThrow('no measure mean');
  });
});

function last(...values: number[]): number {
  return values.at(-1) ?? Number.NaN;
}

function mean(...values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function naive(measure: string, seen: readonly { due: number; end: number; ok: boolean }[]): number | undefined {
  if (seen.length === 0) return undefined;
  if (measure === 'error-rate') return seen.filter(({ ok }) => !ok).length / seen.length;
  const sorted = seen.map(({ due, end }) => end - due).toSorted((a, b) => a - b);
  return measure === 'max' ? sorted.at(-1) : nearestRank(sorted, Number(measure.slice(1)) * 10);
}

describe('levelOf', () => {
  const comparison = (text: string) => {
    const parsed = parseComparison(text);
    if (parsed === undefined) throw new Error(text);
    return parsed;
  };
  const slo = { warning: comparison('> 100ms'), severe: comparison('> 500ms'), fatal: comparison('> 900ms') };

  it.each<[number | undefined, SloLevel]>([
    [undefined, 'no-data'],
    [100, 'ok'],
    [101, 'warning'],
    [501, 'severe'],
    [901, 'fatal'],
  ])('of %s ms is %s', (value, level) => {
    expect(levelOf(slo, { value, atMost: value })).toBe(level);
  });

  it.each<[number, number, SloLevel]>([
    [90, 450, 'ok'],
    [90, 600, 'no-data'],
    [400, 2_000, 'no-data'],
    [600, 2_000, 'severe'],
  ])('between %s ms for certain and %s ms at most is %s', (value, atMost, level) => {
    expect(levelOf(slo, { value, atMost })).toBe(level);
  });

  it('skips levels that are not declared', () => {
    expect(levelOf({ fatal: comparison('> 5%') }, { value: 0.05, atMost: 0.05 })).toBe('ok');
    expect(levelOf({ warning: comparison('> 5%') }, { value: 1, atMost: 1 })).toBe('warning');
  });
});

describe('steady', () => {
  it('is what is measured and neither severe nor fatal', () => {
    const levels: SloLevel[] = ['ok', 'warning', 'severe', 'fatal', 'no-data'];

    expect(levels.filter((level) => steady(level))).toEqual(['ok', 'warning']);
  });
});

it('a target that refuses at once is not fast: a failed sample costs at least the timeout', () => {
  const tracker = new SloTracker({ name: 'latency', measure: 'p90', windowMs: 10_000 }, 1_000);
  for (let due = 0; due < 1_000; due += 100) tracker.add({ due, end: due + 2, ok: due % 200 === 0 });

  expect(tracker.measure(1_000).value).toBe(1_000);
});
