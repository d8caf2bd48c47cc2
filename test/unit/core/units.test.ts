import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatPeriod,
  formatQuantity,
  milliseconds,
  parseComparison,
  parseDuration,
  parsePercent,
  parseRate,
  satisfies,
} from '../../../src/core/units.ts';

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const unit = fc.constantFrom(...(Object.keys(unitMs) as (keyof typeof unitMs)[]));
const hostile = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123456789.-+e msmhd%/<>=\n') }));

describe('durations', () => {
  it('are the sum of their parts', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9_999), unit), { minLength: 1, maxLength: 4 }), (parts) => {
        const text = parts.map(([amount, name]) => `${amount}${name}`).join('');
        expect(parseDuration(text)).toBe(parts.reduce((sum, [amount, name]) => sum + amount * unitMs[name], 0));
      }),
    );
  });

  it.each([
    [30, 'd', '30 d'],
    [1, 'd', '24 h'],
    [36, 'h', '36 h'],
    [90, 'm', '1 h 30 min'],
  ] as const)('of %d%s are written as periods: %s', (amount, name, text) => {
    expect(formatPeriod(amount * unitMs[name])).toBe(text);
  });

  it.each(['', '30', '30 s', ' 30s', '30s ', '-30s', '+1s', '1e3s', '.5s', '5.s', '1s\n', '30sec', 's', '٣s'])('refuses %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  it('never throw and never give anything but finite milliseconds, whatever the text', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const parsed = parseDuration(text);
        expect(parsed === undefined || (Number.isFinite(parsed) && parsed >= 0)).toBe(true);
      }),
    );
  });

  it('refuse a number too large to count instead of throwing', () => {
    expect(parseDuration(`${'9'.repeat(400)}s`)).toBeUndefined();
  });

  it.each([
    [0, '0 ms'],
    [850.4, '850 ms'],
    [999.4, '999 ms'],
    [999.7, '1 s'],
    [2_400, '2.4 s'],
    [59_949, '59.9 s'],
    [59_999, '1 min'],
    [90_000, '1 min 30 s'],
    [3_599_700, '1 h'],
    [7_500_000, '2 h 5 min'],
    [-2_400, '-2.4 s'],
    [Number.NaN, 'unknown'],
    [Number.POSITIVE_INFINITY, 'unknown'],
  ])('%d ms reads %j', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('read back within 5 % of what they were', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 86_400_000 }), (ms) => {
        const text = formatDuration(ms).replaceAll('min', 'm').replaceAll(' ', '');
        expect(Math.abs((parseDuration(text) ?? Number.NaN) - ms)).toBeLessThanOrEqual(ms * 0.05);
      }),
    );
  });

  it('cannot be made of a negative or endless number', () => {
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => milliseconds(value)).toThrow(RangeError);
  });
});

describe('rates and percentages', () => {
  it('are events per second and ratios', () => {
    expect(parseRate('10/s')).toBe(10);
    expect(parseRate('600/m')).toBe(10);
    expect(parseRate('1.5/h')).toBeCloseTo(1.5 / 3_600);
    expect(parsePercent('50%')).toBe(0.5);
    expect(parsePercent('0.1%')).toBe(0.001);
  });

  it.each(['10', '10/d', '10 /s', '-1/s', '/s', '1/s/s'])('refuse the rate %j', (text) => {
    expect(parseRate(text)).toBeUndefined();
  });

  it('are finite or nothing, whatever the text', () => {
    const huge = '9'.repeat(400);
    for (const parsed of [parseRate(`${huge}/s`), parsePercent(`${huge}%`), parseComparison(`> ${huge}`)]) expect(parsed).toBeUndefined();
    fc.assert(
      fc.property(hostile, (text) => {
        for (const parsed of [parseRate(text), parsePercent(text)]) expect(parsed === undefined || Number.isFinite(parsed)).toBe(true);
      }),
    );
  });
});

describe('comparisons', () => {
  const operators = {
    '<': (a: number, b: number) => a < b,
    '<=': (a: number, b: number) => a <= b,
    '>': (a: number, b: number) => a > b,
  } as const;
  const more = { '>=': (a: number, b: number) => a >= b, '==': (a: number, b: number) => a === b } as const;
  const all = { ...operators, ...more };

  it('keep operator, value and unit of what was written, and judge as the operator says', () => {
    const operator = fc.constantFrom(...(Object.keys(all) as (keyof typeof all)[]));
    fc.assert(
      fc.property(operator, fc.nat(10_000), fc.constantFrom('', ' ', '\t'), fc.nat(10_000), (op, amount, gap, seen) => {
        const parsed = parseComparison(`${op}${gap}${amount}`);
        expect(parsed).toEqual({ operator: op, value: amount, unit: 'count', text: `${op}${gap}${amount}` });
        if (parsed !== undefined) expect(satisfies(parsed, seen)).toBe(all[op](seen, amount));
      }),
    );
  });

  it.each([
    ['> 5%', { operator: '>', value: 0.05, unit: 'ratio' }],
    ['<=30s', { operator: '<=', value: 30_000, unit: 'duration' }],
    ['>= 1.5h', { operator: '>=', value: 5_400_000, unit: 'duration' }],
    ['== 0', { operator: '==', value: 0, unit: 'count' }],
  ])('reads %j', (text, expected) => {
    expect(parseComparison(text)).toMatchObject(expected);
  });

  it('takes a bare number as equal', () => {
    expect(parseComparison(0)).toEqual({ operator: '==', value: 0, unit: 'count', text: '== 0' });
  });

  it.each(['', '5', '=< 5', '> -5', '> 5 %', '> 1h30m', '!= 1', '>5%5'])('refuses %j', (text) => {
    expect(parseComparison(text)).toBeUndefined();
  });

  it('is satisfied by no missing value', () => {
    for (const op of Object.keys(all))
      expect(satisfies({ operator: op as '<', value: 1, unit: 'count', text: '' }, Number.NaN)).toBe(false);
  });
});

describe('quantities', () => {
  it('are written in their unit', () => {
    expect(formatQuantity(0.041, 'ratio')).toBe('4.1 %');
    expect(formatQuantity(1, 'ratio')).toBe('100 %');
    expect(formatQuantity(17, 'count')).toBe('17');
    expect(formatQuantity(1.236, 'count')).toBe('1.24');
    expect(formatQuantity(-0.001_236, 'count')).toBe('-0.00124');
    expect(formatQuantity(2_400, 'duration')).toBe('2.4 s');
    expect(formatQuantity(Number.NaN, 'count')).toBe('no data');
  });
});
