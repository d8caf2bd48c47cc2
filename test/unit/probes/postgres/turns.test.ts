import { describe, expect, it } from 'vitest';
import { Turns } from '../../../../src/probes/postgres/turns.ts';

const never = new AbortController().signal;

describe('Turns', () => {
  it('go to so many at a time, then to who waited longest', async () => {
    const turns = new Turns(2);
    const order: string[] = [];
    await turns.take(never);
    await turns.take(never);
    const waiting = ['a', 'b'].map((name) => turns.take(never).then(() => order.push(name)));
    await Promise.resolve();
    expect(order).toEqual([]);

    turns.give();
    await waiting[0];
    expect(order).toEqual(['a']);
    turns.give();
    await waiting[1];

    expect(order).toEqual(['a', 'b']);
  });

  it('are not taken by who gave up waiting', async () => {
    const turns = new Turns(1);
    await turns.take(never);
    const impatient = new AbortController();
    const gaveUp = turns.take(impatient.signal);
    const patient = turns.take(never);

    impatient.abort(new Error('enough'));
    await expect(gaveUp).rejects.toThrow('enough');
    turns.give();
    await patient;
    await expect(turns.take(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });
});
