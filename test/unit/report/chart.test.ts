import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Chart, escapeXml, renderChart } from '../../../src/report/chart.ts';
import { clockLabel, spread, timeTicks, valueLabel, valueTicks } from '../../../src/report/chart-scale.ts';

const chart: Chart = {
  id: 'slo-checkout-errors',
  title: 'checkout-errors',
  description: 'checkout-errors over the run',
  unit: 'ratio',
  points: [
    { t: 0, value: 0 },
    { t: 1_000, value: 0.02 },
    { t: 2_000, value: undefined },
    { t: 3_000, value: 0.4 },
    { t: 4_000, value: 0.1 },
    { t: 5_000, value: undefined },
    { t: 6_000, value: 0 },
  ],
  from: 0,
  to: 10_000,
  lines: [{ value: 0.05, label: 'fatal > 5%', level: 'fatal' }],
  spans: [{ from: 1_500, to: 4_500, label: 'cpu on web-1' }],
  marks: [{ t: 4_000, label: 'abort', tone: 'abort' }],
};

describe('renderChart', () => {
  test('draws a stroke for each stretch of data and a dot for a lone value, never a line over a gap', () => {
    const svg = renderChart(chart);
    const path = /class="series" d="([^"]+)"/.exec(svg)?.[1] ?? '';

    expect(path.match(/M/g)).toHaveLength(2);
    expect(path.match(/L/g)).toHaveLength(2);
    expect(svg.match(/<circle/g)).toHaveLength(1);
  });

  test('names itself for people who cannot see it', () => {
    const svg = renderChart(chart);

    expect(svg).toContain('role="img" aria-labelledby="slo-checkout-errors-title slo-checkout-errors-description"');
    expect(svg).toContain('<title id="slo-checkout-errors-title">checkout-errors</title>');
    expect(svg).toContain('@media(prefers-color-scheme:dark)');
  });

  test('shows the limit, the fault and the abort with their words', () => {
    const svg = renderChart(chart);

    for (const word of ['fatal &#62; 5%', 'cpu on web-1', '>abort<']) expect(svg).toContain(word);
    expect(svg).toMatch(/class="span" x="157.9" y="62" width="187.8"/);
  });

  test('keeps a spike among a hundred thousand samples', () => {
    const points = Array.from({ length: 100_000 }, (_, t) => ({ t, value: t === 54_321 ? 1 : 0.001 }));

    const svg = renderChart({ ...chart, points, to: 100_000 });

    expect(svg).toMatch(/L404 62[L"]/);
    expect(svg.length).toBeLessThan(40_000);
  });

  test('says so when there is no data', () => {
    expect(renderChart({ ...chart, points: [] })).toContain('>no data<');
  });

  test('is XML that has no number but finite ones, whatever it is given', () => {
    const point = fc.record({
      t: fc.integer({ min: 0, max: 600_000 }),
      value: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: undefined }),
    });
    fc.assert(
      fc.property(
        fc.array(point, { maxLength: 50 }),
        fc.string({ unit: 'binary' }),
        fc.constantFrom('ratio', 'duration', 'count'),
        (points, text, unit) => {
          const svg = renderChart({
            ...chart,
            unit,
            points: points.toSorted((a, b) => a.t - b.t),
            to: 600_000,
            title: text,
            description: text,
          });
          expect(svg).not.toMatch(/NaN|Infinity|undefined/);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('is well-formed for a real XML parser, hostile names included', ({ skip }) => {
    try {
      execFileSync('xmllint', ['--version'], { stdio: 'ignore' });
    } catch {
      skip('xmllint is not installed');
    }
    const svg = renderChart({ ...chart, title: '"]]>&<script>\u0000\ud800', spans: [{ from: 0, to: 1, label: "</text>'" }] });

    expect(() => execFileSync('xmllint', ['--noout', '-'], { input: svg })).not.toThrow();
  });
});

test('escapes what XML reads and drops what it forbids', () => {
  expect(escapeXml('a<b>&"\'')).toBe('a&#60;b&#62;&#38;&#34;&#39;');
  expect(escapeXml('a\u0000b\ud800c')).toBe('a b c');
});

describe('axes', () => {
  test('have few round ticks that reach the top', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), fc.constantFrom('duration' as const, 'count' as const), (top, unit) => {
        const ticks = valueTicks(top, unit);
        expect(ticks.length).toBeLessThanOrEqual(7);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(top * (1 - 1e-6));
        expect(new Set(ticks).size).toBe(ticks.length);
      }),
    );
    expect(valueTicks(1, 'ratio')).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(valueTicks(0, 'ratio').at(-1)).toBe(1);
  });

  test('of time have few ticks at round times, up to days', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 * 86_400_000 }), (to) => {
        const ticks = timeTicks(0, to);
        expect(ticks.length).toBeLessThanOrEqual(11);
        expect(ticks[0]).toBe(0);
      }),
    );
    expect(timeTicks(0, 60_000)).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  });

  test('read differently at each tick', () => {
    expect([1_000, 1_250, 1_500].map((value) => valueLabel(value, 'duration'))).toEqual(['1 s', '1.25 s', '1.5 s']);
    expect(valueLabel(0.002, 'ratio')).toBe('0.2 %');
    expect(valueTicks(0.6, 'count').map((value) => valueLabel(value, 'count'))).toEqual(['0', '0.2', '0.4', '0.6']);
    expect([0.125, 2_000_000, 1e-6].map((value) => valueLabel(value, 'count'))).toEqual(['0.125', '2000000', '0.000001']);
    expect(clockLabel(3_723_000)).toBe('1:02:03');
  });

  test('labels keep their distance and their order of input', () => {
    expect(spread([100, 102, 50], 14, 0, 200)).toEqual([100, 114, 50]);
    expect(spread([198, 199], 14, 0, 200)).toEqual([186, 200]);
  });
});
