/** The abort rule against the figures it was chosen by: 10 probes a second, errors independent of each other, ten minutes. */
import { describe, expect, it } from 'vitest';
import { abortRuleOf, judge } from '../../../src/slo/abort-rule.ts';
import { BadCounter, type CounterLimits } from '../../../src/slo/bad-counter.ts';
import { worstOf } from '../../../src/slo/false-aborts.ts';
import { type Random, seeded } from '../../../src/slo/random.ts';

const rule: CounterLimits = { bad: 5, of: 100, consecutive: 3 };
const perSecond = 10;
const tenMinutes = 600 * perSecond;

/** Seconds until `limits` stop a run in which the share `errors` of all samples fails; `undefined`: it never does. */
function secondsToAbort(limits: CounterLimits, errors: number, random: Random, samples = tenMinutes): number | undefined {
  const counter = new BadCounter(limits);
  for (let index = 1; index <= samples; index++) {
    const failed = random() < errors;
    if (counter.add({ bad: failed, failed }) !== undefined) return index / perSecond;
  }
  return undefined;
}

/** Share of ten-minute runs that the default rule stops although nothing happens. */
function falseAborts(errors: number, runs: number): number {
  const random = seeded(1);
  const worst = Array.from({ length: runs }, () => worstOf(random, { share: errors, failing: 1, length: tenMinutes, of: 100 }));
  return worst.filter(({ bad, row }) => bad >= 5 || row >= 3).length / runs;
}

describe('the default rule', () => {
  it.each([
    [0.05, 9.4, 26],
    [0.1, 4.5, 9.4],
    [0.2, 2.3, 4.2],
    [0.5, 0.9, 1.5],
    [1, 0.3, 0.3],
  ])('at an error rate of %d stops after a median of %d s, and 95 of 100 runs within %d s', (errors, median, late) => {
    const random = seeded(11);
    const times = Array.from({ length: 1_500 }, () => secondsToAbort(rule, errors, random) ?? Number.POSITIVE_INFINITY);
    times.sort((a, b) => a - b);

    expect(Math.abs((times[750] ?? 0) - median)).toBeLessThanOrEqual(Math.max(0.1, median * 0.1));
    expect(Math.abs((times[1_425] ?? 0) - late)).toBeLessThanOrEqual(Math.max(0.1, late * 0.15));
    expect(times.at(-1)).toBeLessThan(600);
  });

  it('stops hardly any ten minutes without an effect at 0.1 %, few at 0.5 %, and half of them at 1 %: there it must be raised', () => {
    expect(falseAborts(0.001, 4_000)).toBeLessThan(0.0005);
    expect(falseAborts(0.005, 10_000)).toBeLessThanOrEqual(0.04);
    expect(falseAborts(0.01, 1_000)).toBeGreaterThan(0.4);
  });
});

describe('BadCounter', () => {
  const ok = { bad: false, failed: false };
  const slow = { bad: true, failed: false };
  const failure = { bad: true, failed: true };

  it('does not wait until there are as many samples as it looks at', () => {
    const counter = new BadCounter(rule);
    const tripped = [slow, ok, slow, slow, ok, slow, slow].map((sample) => counter.add(sample));

    expect(tripped.slice(0, -1)).toEqual(new Array(6).fill(undefined));
    expect(tripped.at(-1)).toEqual({ rule: 'count', bad: 5, of: 7 });
  });

  it('forgets what is older than it looks', () => {
    const counter = new BadCounter({ bad: 2, of: 10, consecutive: 3 });
    const within = (goods: number) => {
      counter.add(failure);
      for (let index = 0; index < goods; index++) counter.add(ok);
      return counter.add(failure);
    };

    expect(within(9)).toBeUndefined();
    for (let index = 0; index < 9; index++) counter.add(ok);
    expect(within(8)).toEqual({ rule: 'count', bad: 2, of: 10 });
  });

  it('trips on failures in a row, not on slow ones, and starts again after a good one', () => {
    const three = (sample: typeof ok) => {
      const counter = new BadCounter({ of: 100, consecutive: 3 });
      return [failure, failure, ok, sample, sample, sample].map((one) => counter.add(one));
    };

    expect(three(slow)).toEqual(new Array(6).fill(undefined));
    expect(three(failure)).toEqual([...new Array(5).fill(undefined), { rule: 'consecutive', bad: 3, of: 3 }]);
  });

  it('counts like a naive look at the last samples', () => {
    const random = seeded(5);
    for (const of of [1, 7, 100]) {
      const counter = new BadCounter({ of, consecutive: Number.POSITIVE_INFINITY });
      const all: boolean[] = [];
      for (let index = 0; index < 500; index++) {
        const bad = random() < 0.3;
        all.push(bad);
        counter.add({ bad, failed: bad });

        expect(counter.bad).toBe(all.slice(-of).filter(Boolean).length);
        expect(counter.row).toBe(all.length - 1 - all.lastIndexOf(false));
      }
    }
  });
});

describe('abortRuleOf', () => {
  const defaults = { bad: 5, of: 100, consecutive: 3 };
  const limit = (operator: '>' | '>=', value: number, unit: 'ratio' | 'duration') => ({ operator, value, unit, text: '' }) as const;

  it.each([
    ['error-rate', limit('>', 0.05, 'ratio'), 6],
    ['error-rate', limit('>=', 0.05, 'ratio'), 5],
    ['error-rate', limit('>', 0.01, 'ratio'), 5],
    ['error-rate', limit('>', 0.29, 'ratio'), 30],
    ['error-rate', limit('>', 0.5, 'ratio'), undefined],
    ['p99', limit('>', 900, 'duration'), 5],
    ['p90', limit('>', 900, 'duration'), 11],
    ['p50', limit('>', 900, 'duration'), undefined],
    ['max', limit('>', 900, 'duration'), 5],
  ])('does not stop at what %s tolerates', (measure, fatal, bad) => {
    expect(abortRuleOf({ measure, fatal }, defaults)?.bad).toBe(bad);
  });

  it('takes as slow what exceeds the fatal limit, or the severe one where there is no fatal; a warning stops nothing', () => {
    const severe = limit('>', 500, 'duration');
    const fatal = limit('>', 900, 'duration');

    expect(abortRuleOf({ measure: 'p99', severe, fatal }, defaults)?.limitMs).toBe(900);
    expect(abortRuleOf({ measure: 'p99', severe }, defaults)?.limitMs).toBe(500);
    expect(abortRuleOf({ measure: 'error-rate', fatal: limit('>', 0.01, 'ratio') }, defaults)).not.toHaveProperty('limitMs');
    expect(abortRuleOf({ measure: 'p99' }, defaults)).toBeUndefined();
  });
});

describe('judge', () => {
  const sample = { due: 0, end: 1_000, ok: true };

  it('calls bad what failed or took too long', () => {
    expect(judge({ ...sample, ok: false }, {})).toEqual({ bad: true, failed: true });
    expect(judge(sample, { limitMs: 900 })).toEqual({ bad: true, failed: false });
    expect(judge(sample, { limitMs: 1_000 })).toEqual({ bad: false, failed: false });
    expect(judge(sample, {})).toEqual({ bad: false, failed: false });
  });

  it('says nothing of what the prober cannot vouch for, unless it is bad for certain', () => {
    const stalled = { ...sample, own: 200 };

    expect(judge({ ...stalled, ok: false }, {})).toBeUndefined();
    expect(judge(stalled, { limitMs: 900 })).toBeUndefined();
    expect(judge(stalled, { limitMs: 700 })).toEqual({ bad: true, failed: false });
    expect(judge({ ...sample, own: 10, ok: false }, {})).toEqual({ bad: true, failed: true });
  });
});
