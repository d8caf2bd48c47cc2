import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapLimit } from '../../../src/core/limit.ts';

const never = new AbortController().signal;
const ticks = async (count: number): Promise<void> => {
  for (let index = 0; index < count; index++) await Promise.resolve();
};

describe('mapLimit', () => {
  it('runs each item once, in order, never more than the limit at a time, and keeps the order of results', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(8), { maxLength: 40 }), fc.integer({ min: 1, max: 9 }), async (items, limit) => {
        let running = 0;
        let most = 0;
        const started: number[] = [];
        const results = await mapLimit(
          items,
          limit,
          async (item, index) => {
            started.push(index);
            most = Math.max(most, ++running);
            await ticks(item);
            running--;
            return item * 2;
          },
          never,
        );
        expect(results).toEqual(items.map((item) => item * 2));
        expect(started).toEqual(items.map((_item, index) => index));
        expect(most).toBeLessThanOrEqual(limit);
        expect(most).toBe(Math.min(limit, items.length));
      }),
    );
  });

  it('after a failure starts nothing new and rejects only when nothing is running any more', async () => {
    let running = 0;
    const started: number[] = [];
    const work = async (item: number): Promise<void> => {
      started.push(item);
      running++;
      await ticks(item === 1 ? 1 : 50);
      running--;
      if (item === 1) throw new Error('second failed');
    };

    await expect(mapLimit([0, 1, 2, 3, 4], 3, work, never)).rejects.toThrow('second failed');

    expect(running).toBe(0);
    expect(started).toEqual([0, 1, 2]);
  });

  it('rejects with the failure that came first, not with one that followed from it', async () => {
    const work = async (item: number): Promise<void> => {
      await ticks(item === 0 ? 20 : 2);
      throw new Error(item === 0 ? 'consequence' : 'cause');
    };

    await expect(mapLimit([0, 1], 2, work, never)).rejects.toThrow('cause');
  });

  it('starts nothing new after an abort and rejects with its reason', async () => {
    const stop = new AbortController();
    const started: number[] = [];
    const work = async (item: number): Promise<void> => {
      started.push(item);
      if (item === 1) stop.abort(new Error('stopped'));
      await ticks(3);
    };

    await expect(mapLimit([0, 1, 2, 3], 2, work, stop.signal)).rejects.toThrow('stopped');

    expect(started).toEqual([0, 1]);
  });

  it('refuses a limit that would silently do nothing', async () => {
    for (const limit of [0, -1, Number.NaN]) await expect(mapLimit([1], limit, async () => 1, never)).rejects.toThrow(RangeError);
  });
});
