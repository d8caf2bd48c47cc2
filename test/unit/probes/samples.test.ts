import { describe, expect, test } from 'vitest';
import { isBad, isDoubtful, latencyOf, leastLatencyOf } from '../../../src/probes/samples.ts';

describe('of a sample', () => {
  test('the latency is counted from the intended start, and what the prober stood still for is not the target’s', () => {
    const sample = { due: 100, end: 400, own: 250 };

    expect(latencyOf(sample)).toBe(300);
    expect(leastLatencyOf(sample)).toBe(50);
    expect(leastLatencyOf({ due: 100, end: 400 })).toBe(300);
    expect(leastLatencyOf({ due: 100, end: 110, own: 11 })).toBe(0);
  });

  test('a failure is the target’s, unless the prober stood still for more than a twentieth of it', () => {
    expect(isDoubtful({ due: 0, end: 2_000, own: 100 })).toBe(false);
    expect(isDoubtful({ due: 0, end: 2_000, own: 101 })).toBe(true);
    expect(isBad({ due: 0, end: 2_000, ok: false, own: 100 }, undefined)).toBe(true);
    expect(isBad({ due: 0, end: 2_000, ok: false, own: 101 }, undefined)).toBe(false);
    expect(isBad({ due: 0, end: 0, ok: false }, undefined)).toBe(true);
  });

  test('slowness is bad only as far as it is the target’s for certain', () => {
    expect(isBad({ due: 0, end: 501, ok: true }, 500)).toBe(true);
    expect(isBad({ due: 0, end: 501, ok: true, own: 1 }, 500)).toBe(false);
    expect(isBad({ due: 0, end: 501, ok: true }, undefined)).toBe(false);
  });
});
