import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Sample } from '../../../../src/probes/contract.ts';
import { type Beat, startHeartbeat } from '../../../../src/probes/sampling/heartbeat.ts';
import { Voucher } from '../../../../src/probes/sampling/vouch.ts';

const sample = (due: number, end: number): Sample => ({ due, sent: due, end, ok: true });
const owned = (voucher: Voucher, ...samples: Sample[]): (number | undefined)[] => voucher.mark(samples).map(({ own }) => own);

describe('the prober knows its own part', () => {
  test('to be nothing while its heart beats', () => {
    const voucher = new Voucher(2_000);
    for (let now = 0; now < 1_000; now += 5) expect(voucher.beat({ now })).toEqual([]);

    expect(owned(voucher, sample(0, 1), sample(0, 1_000))).toEqual([undefined, undefined]);
    expect(voucher.end()).toEqual([]);
  });

  test('in each sample that a stall overlaps', () => {
    const voucher = new Voucher(2_000);
    voucher.beat({ now: 530, stall: { from: 500, to: 530 } });

    expect(owned(voucher, sample(490, 499), sample(499, 531), sample(520, 529), sample(531, 540))).toEqual([undefined, 30, 9, undefined]);
    expect(owned(voucher, sample(0, 2_000), sample(515, 2_000))).toEqual([30, 15]);
  });

  test('as the sum of several small stalls', () => {
    const voucher = new Voucher(2_000);
    for (const from of [100, 200, 300]) voucher.beat({ now: from + 12, stall: { from, to: from + 12 } });

    expect(owned(voucher, sample(90, 390), sample(210, 1_000))).toEqual([36, 14]);
  });

  test('and tells long stalls close together as one stretch, with their sum', () => {
    const voucher = new Voucher(2_000);
    voucher.beat({ now: 450, stall: { from: 50, to: 450 } });
    voucher.beat({ now: 1_060, stall: { from: 500, to: 1_060 } });
    expect(voucher.beat({ now: 1_800, stall: { from: 1_200, to: 1_800 } })).toEqual([]);

    expect(voucher.beat({ now: 2_100 })).toEqual([
      { from: 500, to: 1_800, ms: 1_160, cause: 'stalled', detail: 'its event loop stood still' },
    ]);
    expect(voucher.end()).toEqual([]);
  });

  test('to be all of it while it cannot talk to itself, or has no time left', () => {
    const voucher = new Voucher(2_000);
    voucher.loopback('EMFILE', 1_000);
    voucher.beat({ now: 1_200 });
    expect(owned(voucher, sample(900, 950), sample(900, 1_100), sample(1_150, 1_160))).toEqual([undefined, 200, 10]);
    voucher.loopback(undefined, 1_300);
    voucher.beat({ now: 2_000 });
    expect(owned(voucher, sample(1_400, 1_900))).toEqual([undefined]);

    voucher.beat({ now: 3_000, busy: 0.97 });
    expect(owned(voucher, sample(2_100, 2_200))).toEqual([100]);
    expect(voucher.end()).toEqual([
      { from: 2_000, to: 3_000, ms: 1_000, cause: 'busy', detail: 'its event loop was busy 97 % of the time' },
    ]);
  });

  test('and counts time that several causes share once', () => {
    const voucher = new Voucher(2_000);
    voucher.beat({ now: 1_600, stall: { from: 1_000, to: 1_600 } });
    voucher.beat({ now: 1_700, busy: 1 });

    expect(voucher.end()).toEqual([{ from: 1_000, to: 1_700, ms: 700, cause: 'stalled', detail: 'its event loop stood still' }]);
  });

  test('and forgets stalls that no sample can reach any more', () => {
    const voucher = new Voucher(1_000);
    voucher.beat({ now: 100, stall: { from: 50, to: 100 } });
    voucher.beat({ now: 10_000 });

    expect(owned(voucher, sample(60, 90))).toEqual([undefined]);
  });
});

describe('the heartbeat', () => {
  test('sees a stall of the event loop, from where it began', async () => {
    const beats: Beat[] = [];
    const origin = performance.now();
    const now = (): number => performance.now() - origin;
    using _heart = startHeartbeat(now, (beat) => beats.push(beat));
    await sleep(60);

    const from = now();
    while (now() < from + 120);
    const to = now();
    await sleep(30);

    const stall = beats.flatMap((beat) => beat.stall ?? []).find((candidate) => candidate.to >= to);
    expect(stall?.from).toBeLessThanOrEqual(from);
    expect(stall?.from).toBeGreaterThan(from - 60);
  });
});
