import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import type { EventBody } from '../../../src/journal/events.ts';
import { journalPath, readJournal } from '../../../src/journal/reader.ts';
import { type JournalOptions, JournalWriter } from '../../../src/journal/writer.ts';
import { testPlan } from '../../support/engine-plan.ts';

const started: EventBody = { type: 'run.started', run: 'abcdef', plan: testPlan(), version: '0', operator: 'me', machine: 'here', pid: 1 };
const waiting = (forMs: number): EventBody => ({ type: 'step.waiting', step: 's1', forMs });
const options: JournalOptions = { clock: systemClock, redact: (text) => text, onEvent: () => undefined };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaos-journal-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('a resumed journal', () => {
  const recovering: EventBody = { type: 'recover.started', pid: 2, operator: 'me' };

  it('goes on with the numbers and the time of the first', async () => {
    const first = await JournalWriter.create(folder, options);
    await first.record(started);
    await first.record(waiting(1));
    await first[Symbol.asyncDispose]();
    await new Promise((resolve) => setTimeout(resolve, 30));

    await using second = await JournalWriter.resume(folder, options);
    await second.record(recovering);

    const { events } = await readJournal(folder);
    expect(events.map((event) => event.seq)).toEqual([0, 1, 2]);
    expect((events[2]?.t ?? 0) - (events[1]?.t ?? 0)).toBeGreaterThanOrEqual(25);
  });

  it('never counts time backwards, also where the wall clock was set back', async () => {
    const first = await JournalWriter.create(folder, options);
    await first.record(started);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await first.record(waiting(1));
    await first[Symbol.asyncDispose]();

    await using second = await JournalWriter.resume(folder, { ...options, clock: { ...systemClock, wall: () => Date.now() - 3_600_000 } });
    await second.record(recovering);

    const [, before, after] = (await readJournal(folder)).events;
    expect(after?.t).toBeGreaterThanOrEqual(before?.t ?? Number.NaN);
  });

  it('survives being torn at any byte, again and again', async () => {
    const original = await JournalWriter.create(folder, options);
    await original.record(started);
    await original.record({ type: 'fault.injecting', step: 's1', undo: { text: 'é漢😀' } });
    await original[Symbol.asyncDispose]();
    const whole = await readFile(journalPath(folder));
    const firstLine = whole.indexOf(0x0a) + 1;

    for (let cut = firstLine; cut <= whole.length; cut += 7) {
      await writeFile(journalPath(folder), whole.subarray(0, cut));
      for (const half of ['', '{"seq":', '{"seq":9,"a']) {
        await appendFile(journalPath(folder), half);
        const writer = await JournalWriter.resume(folder, options);
        await writer[Symbol.asyncDispose]();
      }
      const writer = await JournalWriter.resume(folder, options);
      await writer.record(recovering);
      await writer.record({ type: 'rollback.finished', state: 'clean' });
      await writer[Symbol.asyncDispose]();

      const { events, torn } = await readJournal(folder);
      expect(torn).toBe(false);
      expect(events.slice(-2)).toMatchObject([recovering, { type: 'rollback.finished' }]);
      expect(events.map((event) => event.seq)).toEqual(events.map((_event, index) => index));
    }
  });

  it('is refused where there is nothing to go on from', async () => {
    await expect(JournalWriter.resume(folder, options)).rejects.toMatchObject({ code: 'CHAOS_JOURNAL' });
    await writeFile(journalPath(folder), '');
    await expect(JournalWriter.resume(folder, options)).rejects.toMatchObject({ code: 'CHAOS_JOURNAL' });
  });
});
