import { describe, expect, it } from 'vitest';
import { longestSample, rateField, timeoutField, timing } from '../../../src/probes/fields.ts';

describe('probe fields', () => {
  const rate = rateField('10/s', 'How often.');
  const timeout = timeoutField('2s', 'How long.');

  it('have defaults and stay as they were written', () => {
    expect(rate.parse(undefined)).toBe('10/s');
    expect(timeout.parse('1500ms')).toBe('1500ms');
  });

  it.each(['10', '0/s', '1001/s', '0.5/h', '10/d', ''])('refuse the rate %j with one message', (text) => {
    expect(rate.safeParse(text).error?.issues).toHaveLength(1);
  });

  it.each(['30', '0s', '9ms', '61s', '-1s', ''])('refuse the timeout %j with one message', (text) => {
    expect(timeout.safeParse(text).error?.issues).toHaveLength(1);
  });

  it('count silence from the next slot on', () => {
    expect(timing({ rate: '30/m', timeout: '1s' })).toEqual({ rate: 0.5, timeoutMs: 1_000 });
    expect(longestSample({ rate: '30/m', timeout: '1s' })).toBe(3_000);
  });
});
