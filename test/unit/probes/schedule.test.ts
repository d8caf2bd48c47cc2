import { get } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import type { Sample } from '../../../src/probes/contract.ts';
import { type Attempt, type Schedule, type ScheduleOptions, type Slot, startSchedule } from '../../../src/probes/schedule.ts';
import { sleep } from '../../support/probe-run.ts';
import { httpTarget } from '../../support/probe-target.ts';

let samples: { sample: Sample; slot: number }[];
let schedule: Schedule | undefined;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
  samples = [];
});

afterEach(async () => {
  const stopped = schedule?.stop();
  if (vi.isFakeTimers()) await vi.runAllTimersAsync();
  await stopped;
  vi.useRealTimers();
});

function begin(options: Partial<ScheduleOptions> & Pick<ScheduleOptions, 'attempt'>): Schedule {
  schedule = startSchedule({
    clock: systemClock,
    origin: systemClock.monotonic(),
    rate: 10,
    timeoutMs: 1_000,
    emit: (sample, slot) => samples.push({ sample, slot }),
    ...options,
  });
  return schedule;
}

const answerAfter =
  (ms: number, answer: Attempt = { ok: true }) =>
  (): Promise<Attempt> =>
    new Promise((resolve) => {
      setTimeout(resolve, ms, answer);
    });

describe('startSchedule', () => {
  it('starts slot k at t0 + k/rate', async () => {
    begin({ attempt: answerAfter(3) });

    await vi.advanceTimersByTimeAsync(450);

    expect(samples.map(({ sample }) => sample.due)).toEqual([0, 100, 200, 300, 400]);
    expect(samples.map(({ slot }) => slot)).toEqual([0, 1, 2, 3, 4]);
    expect(samples.every(({ sample }) => sample.ok && sample.end - sample.sent === 3)).toBe(true);
  });

  it('keeps to the schedule while the target is slow', async () => {
    begin({ attempt: answerAfter(700) });

    await vi.advanceTimersByTimeAsync(1_650);

    expect(samples.map(({ sample }) => sample.sent)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
  });

  it('fires the slots that a stall of the runner missed, each with its own due time', async () => {
    vi.useRealTimers();
    const running = begin({ rate: 50, attempt: () => Promise.resolve({ ok: true }) });
    await sleep(50);

    const busyUntil = performance.now() + 300;
    while (performance.now() < busyUntil);
    await sleep(20);
    await running.stop();

    const first = samples[0]?.sample.due ?? 0;
    expect(samples.length).toBeGreaterThan(15);
    expect(samples.map(({ sample }) => Math.round(sample.due - first))).toEqual(samples.map((_, slot) => slot * 20));
    expect(Math.max(...samples.map(({ sample }) => sample.sent - sample.due))).toBeGreaterThan(200);
  });

  it('takes an answer that lay unread during a stall of the runner for an answer, not for a timeout', async () => {
    vi.useRealTimers();
    await using target = await httpTarget((_request, response) => setTimeout(() => response.end(), 30));
    const running = begin({
      rate: 1,
      timeoutMs: 100,
      attempt: () => new Promise((resolve) => get(target.url, (response) => response.resume().on('end', () => resolve({ ok: true })))),
    });
    await sleep(20);
    setTimeout(() => {
      const busyUntil = performance.now() + 200;
      while (performance.now() < busyUntil);
    }, 5);

    await sleep(300);
    await running.stop();

    expect(samples[0]?.sample.error).toBe(undefined);
  });

  it('gives a sample that ends at the timeout, and aborts the attempt', async () => {
    let aborted = false;
    begin({
      timeoutMs: 200,
      attempt: ({ signal }: Slot) =>
        new Promise(() => {
          signal.addEventListener('abort', () => {
            aborted = true;
          });
        }),
    });

    await vi.advanceTimersByTimeAsync(250);

    expect(samples).toEqual([{ slot: 0, sample: { due: 0, sent: 0, end: 200, ok: false, error: 'timeout' } }]);
    expect(aborted).toBe(true);
  });

  it('drops what an attempt gives after its timeout', async () => {
    begin({ rate: 1, timeoutMs: 100, attempt: answerAfter(300) });

    await vi.advanceTimersByTimeAsync(900);

    expect(samples.map(({ sample }) => sample.error)).toEqual(['timeout']);
  });

  it('gives a shed sample at its intended time when all lanes are busy', async () => {
    // The lanes cover the timeout; a target can not use them up, only the cap of 1024 does.
    begin({ rate: 1_000, timeoutMs: 2_000, attempt: () => new Promise(() => undefined) });

    await vi.advanceTimersByTimeAsync(1_100);

    const shed = samples.filter(({ sample }) => sample.error === 'shed');
    expect(shed[0]?.slot).toBe(1_024);
    expect(shed.every(({ sample, slot }) => sample.due === slot && sample.end - sample.due < 2)).toBe(true);
  });

  it('never sheds below the cap, though every attempt hangs', async () => {
    begin({ rate: 50, timeoutMs: 2_000, attempt: () => new Promise(() => undefined) });

    await vi.advanceTimersByTimeAsync(10_000);

    expect(new Set(samples.map(({ sample }) => sample.error))).toEqual(new Set(['timeout']));
  });

  it('takes a rejecting attempt for a sample that is not ok', async () => {
    begin({ attempt: () => Promise.reject(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })) });

    await vi.advanceTimersByTimeAsync(50);

    expect(samples[0]?.sample).toMatchObject({ ok: false, error: 'ECONNREFUSED' });
  });

  it('stops with the samples under way completed or timed out, and starts none after that', async () => {
    const running = begin({ timeoutMs: 500, attempt: ({ number }) => (number === 0 ? answerAfter(50)() : new Promise(() => undefined)) });
    await vi.advanceTimersByTimeAsync(20);
    await vi.advanceTimersByTimeAsync(100);

    let stopped = false;
    const stop = running.stop().then(() => {
      stopped = true;
    });
    await vi.advanceTimersByTimeAsync(400);
    expect(stopped).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    await stop;
    await running.stop();

    expect(samples.map(({ sample }) => sample.error ?? 'ok')).toEqual(['ok', 'timeout']);
  });

  it('can be stopped by the one who takes the samples', async () => {
    const running = begin({
      attempt: answerAfter(0),
      emit: (sample, slot) => {
        samples.push({ sample, slot });
        if (slot === 2) void running.stop();
      },
    });

    await vi.advanceTimersByTimeAsync(1_000);

    expect(samples).toHaveLength(3);
  });
});
