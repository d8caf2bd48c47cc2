import { describe, expect, test } from 'vitest';
import { clockSkew } from '../../../src/faults/clock-skew/index.ts';
import { offsetMs } from '../../../src/faults/clock-skew/schema.ts';
import { complaints, refusals, textsOf } from '../../support/shell-texts.ts';

describe('clock-skew', () => {
  test.each(['+5m', '-1h30m'])('by %s has texts that every shell reads', async (offset) => {
    expect(await complaints(clockSkew, { offset })).toEqual([]);
  });

  test.each([
    ['+1s', 1],
    ['-90s', -90],
    ['+1h30m', 5_400],
    ['-365d', -31_536_000],
    ['+1.5m', 90],
    ['+2000ms', 2],
  ])('understands %s', async (offset, seconds) => {
    expect(refusals(clockSkew, { offset })).toEqual([]);
    expect(offsetMs(offset)).toBe(seconds * 1_000);
    expect((await textsOf(clockSkew, { offset })).inject).toContain(`set_clock ${seconds}\n`);
  });

  test.each([
    ['5m', 'a sign is missing; did you mean +5m?'],
    ['+5', 'expected how far the clock is set'],
    ['+', 'expected how far the clock is set'],
    ['+500ms', 'expected an offset of 1 s to 365 days'],
    ['+366d', 'expected an offset of 1 s to 365 days'],
    ['-0s', 'expected an offset of 1 s to 365 days'],
    ['+1500ms', 'expected whole seconds'],
    ['+5m; id', 'expected how far the clock is set'],
    ['+5m\n', 'expected how far the clock is set'],
    ['+-5m', 'expected how far the clock is set'],
    [`+${'9'.repeat(400)}s`, 'expected'],
  ])('refuses %j', (offset, message) => {
    expect(refusals(clockSkew, { offset }).join()).toContain(message);
  });

  test('refuses a number', () => {
    expect(refusals(clockSkew, { offset: 300 })).toEqual(['offset: expected how far the clock is set, such as +5m or -30s, got 300']);
  });

  test('never writes a time down: what is restored comes from the uptime', async () => {
    const { undo = '' } = await textsOf(clockSkew, { offset: '+5m' });

    expect([...new Set([...undo.matchAll(/@[a-z-]+@/g)].map(([name]) => name))].toSorted()).toEqual([
      '@base-c@',
      '@base-s@',
      '@boot@',
      '@manager@',
      '@run@',
      '@services@',
    ]);
  });
});
