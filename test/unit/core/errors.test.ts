import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChaosError, describeError } from '../../../src/core/errors.ts';

describe('ChaosError', () => {
  it('keeps its facts as fields and its text clean', () => {
    const cause = new Error('low');
    const error = new ChaosError('CHAOS_COMMAND', 'it \u001b[31mfailed\u001b[0m', { target: 'db-a', hint: 'look there', cause });
    expect(error).toMatchObject({ name: 'ChaosError', code: 'CHAOS_COMMAND', target: 'db-a', hint: 'look there', message: 'it failed' });
    expect(error.cause).toBe(cause);
    expect('cause' in new ChaosError('CHAOS_USAGE', 'x')).toBe(false);
  });
});

describe('describeError', () => {
  it('joins the messages of causes and repeats none', () => {
    const low = new Error('ECONNREFUSED 127.0.0.1:22');
    expect(describeError(new Error('cannot connect', { cause: low }))).toBe('cannot connect: ECONNREFUSED 127.0.0.1:22');
    expect(describeError(new Error('cannot connect: ECONNREFUSED 127.0.0.1:22', { cause: low }))).toBe(
      'cannot connect: ECONNREFUSED 127.0.0.1:22',
    );
  });

  it('says the code where the message is empty', () => {
    expect(describeError(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
    expect(describeError(new TypeError(''))).toBe('TypeError');
  });

  it('lists every error of an aggregate', () => {
    const errors = [new Error('one'), 'two'];
    expect(describeError(new AggregateError(errors, 'several'))).toBe('several; one; two');
    expect(describeError(new AggregateError(errors))).toBe('one; two');
    expect(describeError(new AggregateError(errors, 'one; two'))).toBe('one; two');
  });

  it('cleans all of it', () => {
    const dirty = new AggregateError([new Error('\u001b[31mone\u001b[0m')], '\u001b[2Jseveral');
    expect(describeError(dirty)).toBe('several; one');
  });

  it('survives an error that is its own cause', () => {
    const circle = new Error('round');
    circle.cause = new Error('and round', { cause: circle });
    expect(describeError(circle)).toContain('round');
    const group = new AggregateError([], 'group');
    group.errors.push(group);
    expect(describeError(group)).toContain('group');
  });

  it('never throws, whatever was thrown', () => {
    expect(describeError(Object.create(null))).toEqual(expect.any(String));
    expect(describeError(Object.assign(new Error('x'), { message: 7 }))).toBe('7');
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (thrown) => typeof describeError(thrown) === 'string'),
    );
  });
});
