import { describe, expect, it } from 'vitest';
import { ChaosError } from '../../../src/core/errors.ts';
import { sampleError } from '../../../src/probes/errors.ts';

const coded = (code: string): Error => Object.assign(new Error('a text with a password'), { code });

describe('sampleError', () => {
  it.each([
    [coded('ECONNREFUSED'), 'ECONNREFUSED'],
    [coded('ECONNRESET'), 'reset'],
    [coded('EPIPE'), 'reset'],
    [coded('57P01'), 'sql 57P01'],
    [coded('23505'), 'sql 23505'],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    [new ChaosError('CHAOS_SQL', 'it failed', { cause: coded('53300') }), 'sql 53300'],
    [new ChaosError('CHAOS_SQL', 'it failed', { cause: new Error('x', { cause: coded('ETIMEDOUT') }) }), 'ETIMEDOUT'],
    [new ChaosError('CHAOS_SQL', 'it failed'), 'failed'],
    [new Error('secret'), 'failed'],
    ['secret', 'failed'],
  ])('names %o %j', (error, expected) => {
    expect(sampleError(error)).toBe(expected);
  });
});
