import { describe, expect, it } from 'vitest';
import { BadCounter, type Judged } from '../../../src/slo/bad-counter.ts';
import { type Calibration, type CalibrationInput, calibration } from '../../../src/slo/calibrate.ts';
import { worstOf } from '../../../src/slo/false-aborts.ts';
import { seeded } from '../../../src/slo/random.ts';

const slo = { name: 'errors', probe: 'shop' };
const rule = { bad: 5, of: 100, consecutive: 3 };
const tenMinutes = 6_000;

function calibrate(input: CalibrationInput): Calibration {
  const steps = calibration(input);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** `bad` failures, spread evenly. */
function baselineOf(samples: number, bad: number): Judged[] {
  return Array.from({ length: samples }, (_, index) => {
    const failed = Math.floor(((index + 1) * bad) / samples) > Math.floor((index * bad) / samples);
    return { bad: failed, failed };
  });
}

function fitted(baseline: readonly Judged[], planned: number, allowed = 0.01) {
  const result = calibrate({ slo, rule, baseline, planned, allowed });
  if ('problem' in result) throw new Error(result.problem);
  return result.rule;
}

describe('after calibration', () => {
  it('at a baseline error rate of 1 % at most 1 % of ten-minute runs are stopped falsely', () => {
    // Over all minutes of baseline that such a system can show, each as likely as it is.
    const [samples, share, runs] = [600, 0.01, 1_500];
    const random = seeded(21);
    let [chance, expected] = [(1 - share) ** samples, 0];
    for (let bad = 0; bad <= 18; bad++) {
      const rule = fitted(baselineOf(samples, bad), tenMinutes);
      const worst = Array.from({ length: runs }, () => worstOf(random, { share, failing: 1, length: tenMinutes, of: 100 }));
      const stopped = worst.filter((one) => one.bad >= (rule.bad ?? 0) || one.row >= rule.consecutive).length;
      expected += (chance * stopped) / runs;
      chance *= ((samples - bad) / (bad + 1)) * (share / (1 - share));
    }

    expect(expected).toBeLessThanOrEqual(0.01);
    expect(expected).toBeGreaterThan(0.001);
  });

  it('keeps the defaults where the baseline was clean and long enough to know it', () => {
    expect(fitted(baselineOf(3_000, 0), tenMinutes)).toMatchObject({ bad: 5, consecutive: 3 });
    expect(fitted(baselineOf(600, 0), 300)).toMatchObject({ bad: 5, consecutive: 3 });
  });

  it('raises the count the more was bad, the longer the method and the shorter the baseline', () => {
    const count = (samples: number, bad: number, planned: number): number => fitted(baselineOf(samples, bad), planned).bad ?? 0;

    expect(count(3_000, 30, tenMinutes)).toBeGreaterThan(count(3_000, 6, tenMinutes));
    expect(count(300, 1, tenMinutes)).toBeGreaterThan(count(300, 1, 300));
    expect(count(80, 0, 300)).toBeGreaterThan(count(600, 0, 300));
  });

  it('would not have tripped on the baseline itself: a burst in it may come again', () => {
    const burst = [...baselineOf(1_000, 0), ...new Array<Judged>(8).fill({ bad: true, failed: true }), ...baselineOf(1_000, 0)];

    const { bad, consecutive } = fitted(burst, 300);

    expect(bad).toBeGreaterThanOrEqual(9);
    expect(consecutive).toBeGreaterThanOrEqual(9);
  });

  it('says how many false aborts are left, never more than allowed, the same each time', () => {
    for (const [samples, bad] of [
      [80, 0],
      [130, 2],
      [3_000, 60],
    ] as const) {
      const once = fitted(baselineOf(samples, bad), 300, 0.005);

      expect(once.falseAborts).toBeLessThanOrEqual(0.005);
      expect(once.baseline).toEqual({ samples, bad });
      expect(fitted(baselineOf(samples, bad), 300, 0.005)).toEqual(once);
    }
  });

  it('is refused where not even half of the samples would do', () => {
    const result = calibrate({ slo, rule, baseline: baselineOf(200, 90), planned: tenMinutes, allowed: 0.01 });

    expect(result).toEqual({
      problem:
        'SLO errors: 90 of 200 samples were bad before anything was injected; no count up to 50 of 100 keeps false aborts under 1 % of runs',
    });
  });

  it('does not refuse a clean baseline for being short: the rule is weak then, and says so', () => {
    for (const samples of [1, 4, 8]) {
      const { bad = 0, consecutive, falseAborts } = fitted(baselineOf(samples, 0), tenMinutes);

      expect(bad).toBeGreaterThan(20);
      expect(bad).toBeLessThanOrEqual(50);
      expect(consecutive).toBeLessThanOrEqual(50);
      expect(falseAborts).toBeGreaterThan(0);
    }
    // A probe that is seldom asked takes few samples in the method as well.
    expect(fitted(baselineOf(1, 0), 2)).toMatchObject({ bad: 5, consecutive: 3, falseAborts: 0 });
  });

  it('is refused where half of what was looked at was bad at some time in the baseline', () => {
    const burst = [...baselineOf(500, 0), ...new Array<Judged>(50).fill({ bad: true, failed: false }), ...baselineOf(500, 0)];

    expect(calibrate({ slo, rule, baseline: burst, planned: 100, allowed: 0.01 })).toHaveProperty('problem');
  });

  it('leaves the count away where the SLO tolerates too much for one, and raises only the row', () => {
    const { bad: _none, ...rowOnly } = rule;
    const result = calibrate({ slo, rule: rowOnly, baseline: baselineOf(300, 60), planned: tenMinutes, allowed: 0.01 });

    expect('rule' in result && result.rule.bad).toBeUndefined();
    expect('rule' in result && result.rule.consecutive).toBeGreaterThan(3);
  });
});

describe('worstOf', () => {
  it('sees what a counter sees that is told every sample', () => {
    const random = seeded(31);
    const [jumping, told] = [0, 1].map((way) =>
      Array.from({ length: 1_500 }, () => {
        if (way === 0) return worstOf(random, { share: 0.05, failing: 0.5, length: 400, of: 100 });
        const counter = new BadCounter({ of: 100, consecutive: Number.POSITIVE_INFINITY });
        let [bad, row] = [0, 0];
        for (let index = 0; index < 400; index++) {
          const isBad = random() < 0.05;
          counter.add({ bad: isBad, failed: isBad && random() < 0.5 });
          bad = Math.max(bad, counter.bad);
          row = Math.max(row, counter.row);
        }
        return { bad, row };
      }),
    );
    const mean = (worst: readonly { bad: number; row: number }[] | undefined, key: 'bad' | 'row'): number =>
      (worst ?? []).reduce((sum, one) => sum + one[key], 0) / (worst?.length ?? 1);

    expect(Math.abs(mean(jumping, 'bad') - mean(told, 'bad'))).toBeLessThan(0.3);
    expect(Math.abs(mean(jumping, 'row') - mean(told, 'row'))).toBeLessThan(0.1);
  });

  it('knows that nothing is bad at 0 and everything at 1', () => {
    expect(worstOf(seeded(1), { share: 0, failing: 1, length: 300, of: 100 })).toEqual({ bad: 0, row: 0 });
    expect(worstOf(seeded(1), { share: 1, failing: 1, length: 300, of: 100 })).toEqual({ bad: 100, row: 300 });
    expect(worstOf(seeded(1), { share: 1, failing: 0, length: 30, of: 100 })).toEqual({ bad: 30, row: 0 });
  });
});
