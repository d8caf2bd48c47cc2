import { describe, expect, it } from 'vitest';
import { type Clock, poll, systemClock } from '../../../src/core/clock.ts';

const never = new AbortController().signal;

/** Time that passes only in `sleep`. */
function steppedClock(): Clock {
  let time = 0;
  return {
    wall: () => time,
    monotonic: () => time,
    sleep: async (duration, signal) => {
      signal.throwIfAborted();
      time += duration;
    },
  };
}

describe('systemClock.sleep', () => {
  it('waits at least as long as asked', async () => {
    const before = systemClock.monotonic();
    await systemClock.sleep(20, never);
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(18);
  });

  it('rejects at once with the reason of an abort, before and during the wait', async () => {
    const stop = new AbortController();
    const reason = new Error('stopped');
    const before = systemClock.monotonic();
    const waiting = systemClock.sleep(10_000, stop.signal);
    stop.abort(reason);

    await expect(waiting).rejects.toBe(reason);
    await expect(systemClock.sleep(10_000, stop.signal)).rejects.toBe(reason);
    expect(systemClock.monotonic() - before).toBeLessThan(1_000);
  });

  it('does not end a wait of many weeks at once', async () => {
    const stop = new AbortController();
    const ended = await Promise.race([
      systemClock.sleep(40 * 86_400_000, stop.signal).then(
        () => 'ended',
        () => 'aborted',
      ),
      systemClock.sleep(40, never).then(() => 'still waiting'),
    ]);
    stop.abort();

    expect(ended).toBe('still waiting');
  });
});

describe('poll', () => {
  it('gives the first answer and asks no more', async () => {
    let asked = 0;
    const answer = await poll(steppedClock(), { interval: 10, within: 1_000 }, async () => (++asked === 4 ? 'here' : undefined), never);

    expect(answer).toBe('here');
    expect(asked).toBe(4);
  });

  it('asks a last time at the very end, however long the interval is, then gives up', async () => {
    const clock = steppedClock();
    const asked: number[] = [];
    const answer = await poll(
      clock,
      { interval: 400, within: 1_000 },
      async () => {
        asked.push(clock.monotonic());
        return undefined;
      },
      never,
    );

    expect(answer).toBeUndefined();
    expect(asked).toEqual([0, 400, 800, 1_000]);
  });

  it('asks at least once, with no time at all', async () => {
    expect(await poll(steppedClock(), { interval: 10, within: 0 }, async () => 1, never)).toBe(1);
  });

  it('passes on what an attempt throws, and ends with an abort', async () => {
    const stop = new AbortController();
    const failing = poll(steppedClock(), { interval: 1, within: 10 }, () => Promise.reject(new Error('cannot ask')), never);
    await expect(failing).rejects.toThrow('cannot ask');

    const aborting = poll(
      steppedClock(),
      { interval: 1, within: 10 },
      async () => {
        stop.abort(new Error('stopped'));
        return undefined;
      },
      stop.signal,
    );
    await expect(aborting).rejects.toThrow('stopped');
  });
});
