import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { type EventBody, JournalEvent } from '../../../src/journal/events.ts';
import { journalPath, readJournal } from '../../../src/journal/reader.ts';
import { type JournalOptions, JournalWriter, tolerant } from '../../../src/journal/writer.ts';
import { testPlan } from '../../support/engine-plan.ts';

const started: EventBody = { type: 'run.started', run: 'abcdef', plan: testPlan(), version: '0', operator: 'me', machine: 'here', pid: 1 };
const waiting = (forMs: number): EventBody => ({ type: 'step.waiting', step: 's1', forMs });
const finishedOperation = (detail: string): EventBody => ({
  type: 'operation.finished',
  step: 's1',
  operation: 'break',
  ok: true,
  ms: 1,
  detail,
});

let folder: string;
let heard: JournalEvent[];
let options: JournalOptions;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chaos-journal-'));
  heard = [];
  options = { clock: systemClock, redact: (text) => text, onEvent: (event) => void heard.push(event) };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const lines = async (): Promise<string[]> => (await readFile(journalPath(folder), 'utf8')).split('\n').slice(0, -1);

/** Lets files grow to `bytes` at most while `work` runs: what is over is cut off in the middle of a line, as on a full disk. */
async function withFileLimit(bytes: number, work: () => Promise<void>): Promise<void> {
  const limit = (soft: string): Buffer => execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${soft}:`]);
  limit(String(bytes));
  try {
    await work();
  } finally {
    limit('unlimited');
  }
}

describe('a journal', () => {
  it('holds one event of the schema a line, numbered without gaps, under concurrent records', async () => {
    await using journal = await JournalWriter.create(folder, options);
    await Promise.all([journal.record(started), ...Array.from({ length: 200 }, (_item, index) => journal.record(waiting(index)))]);

    const events = (await lines()).map((line) => JournalEvent.parse(JSON.parse(line)));

    expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 201 }, (_item, index) => index));
    expect(events.slice(1)).toMatchObject(Array.from({ length: 200 }, (_item, index) => waiting(index)));
    expect(heard.map((event) => event.seq)).toEqual(events.map((event) => event.seq));
  });

  it('has times that never go back', async () => {
    await using journal = await JournalWriter.create(folder, options);
    for (let index = 0; index < 20; index++) await journal.record(waiting(index));

    const times = (await readJournal(folder)).events.map((event) => event.t);

    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(0);
  });

  it('keeps any text in its line', async () => {
    await using journal = await JournalWriter.create(folder, options);
    const texts = fc.sample(fc.string({ unit: 'binary', maxLength: 6 }), 60).concat('a\nb\r\n\u2028"\\\ud800');
    for (const text of texts) await journal.record(finishedOperation(text));

    const { events, torn } = await readJournal(folder);

    expect(torn).toBe(false);
    expect(events).toMatchObject(texts.map((text) => finishedOperation(text)));
  });

  it('is not begun over another one', async () => {
    await writeFile(journalPath(folder), 'older\n');
    await expect(JournalWriter.create(folder, options)).rejects.toMatchObject({
      code: 'CHAOS_REFUSED',
      hint: expect.stringContaining('nothing was injected'),
    });
    expect(await readFile(journalPath(folder), 'utf8')).toBe('older\n');
  });

  it('is refused where its folder cannot be made or written', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(JournalWriter.create(join(folder, 'file', 'run'), options)).rejects.toMatchObject({ code: 'CHAOS_REFUSED' });

    if (process.getuid?.() === 0) return;
    await mkdir(join(folder, 'shut'));
    await chmod(join(folder, 'shut'), 0o500);
    await expect(JournalWriter.create(join(folder, 'shut', 'run'), options)).rejects.toMatchObject({ code: 'CHAOS_REFUSED' });
  });
});

describe('what announces a change', () => {
  it('is on the disk before record resolves, and what does not is not synced', async () => {
    await using journal = await JournalWriter.create(folder, options);
    const probe = await open(join(folder, 'other'), 'w');
    const sync = vi.spyOn(Object.getPrototypeOf(probe) as { datasync: () => Promise<void> }, 'datasync');
    await probe.close();
    const synced = async (body: EventBody): Promise<boolean> => {
      sync.mockClear();
      await journal.record(body);
      return sync.mock.calls.length === 1;
    };

    expect(await synced({ type: 'fault.injecting', step: 's1', undo: {} })).toBe(true);
    expect(await synced({ type: 'fault.marked', step: 's1', mark: 'promoting', data: {}, pointOfNoReturn: true })).toBe(true);
    expect(await synced({ type: 'fault.reverted', step: 's1', clean: true, evidence: [], findings: [], measures: {} })).toBe(true);
    expect(await synced({ type: 'abort.decided', reason: { kind: 'operator', by: 'SIGINT' } })).toBe(true);
    expect(await synced(waiting(1))).toBe(false);
    sync.mockRestore();
  });
});

describe('an event that could not be read back', () => {
  const broken = [
    ['a number JSON has no word for', { type: 'fault.verified', step: 's1', effective: true, evidence: [], measures: { gap: Number.NaN } }],
    ['data JSON cannot hold', { type: 'fault.injecting', step: 's1', undo: { size: 1n } as never }],
    ['an unknown field', Object.assign(waiting(1), { more: true })],
  ] as const satisfies readonly (readonly [string, EventBody])[];

  it.each(broken)('is refused by a rejection (%s), and the journal stays whole', async (_what, body) => {
    await using journal = await JournalWriter.create(folder, options);
    await journal.record(waiting(1));

    let rejected: Promise<unknown> | undefined;
    expect(() => {
      rejected = journal.record(body).catch((error: unknown) => error);
    }).not.toThrow();
    expect(await rejected).toMatchObject({ code: 'CHAOS_JOURNAL' });
    await journal.record(waiting(2));

    expect((await readJournal(folder)).events.map((event) => event.seq)).toEqual([0, 1]);
  });
});

describe('secrets', () => {
  const redacting = (...secrets: string[]): JournalOptions => ({
    ...options,
    redact: (text) => secrets.reduce((current, secret) => current.replaceAll(secret, '[redacted]'), text),
  });

  it('are in no text that is written or heard', async () => {
    await using journal = await JournalWriter.create(folder, redacting('hunter2', 'quo"ted\\'));
    await journal.record(finishedOperation('said hunter2 and quo"ted\\'));
    await journal.record({
      type: 'fault.reverted',
      step: 's1',
      clean: true,
      evidence: ['saw hunter2'],
      findings: ['hunter2'],
      measures: {},
    });

    for (const text of [(await lines()).join('\n'), JSON.stringify(heard)]) {
      expect(text).not.toContain('hunter2');
      expect(text).not.toContain('quo');
    }
    expect(heard[0]).toMatchObject({ detail: 'said [redacted] and [redacted]' });
  });

  it('that are also a number, a key or a word of the schema leave the journal readable', async () => {
    const secrets = ['postgresql', '1234', 'true', 'detail', 'phase', 'shop', 'prepare', '{"', 'operation'];
    await using journal = await JournalWriter.create(folder, redacting(...secrets));
    const plan = testPlan({
      databases: [
        { name: 'orders', engine: 'postgresql', database: 'shop', admin: { user: 'shop' }, replication: { user: 'r' }, nodes: [node] },
      ],
    });
    await journal.record({ ...started, plan });
    await journal.record({ type: 'phase.entered', phase: 'prepare' });
    await journal.record({ ...finishedOperation('the shop has 1234'), ms: 1_234 } as EventBody);

    const { events } = await readJournal(folder);

    expect(events[0]).toMatchObject({ plan });
    expect(events[1]).toMatchObject({ type: 'phase.entered', phase: 'prepare' });
    expect(events[2]).toMatchObject({ ms: 1_234, detail: 'the [redacted] has [redacted]' });
  });

  it('do not change the record that a recovery works from', async () => {
    await using journal = await JournalWriter.create(folder, redacting('postgres'));
    const undo = { dataDir: '/var/lib/postgres/a' };
    await journal.record({ type: 'fault.injecting', step: 's1', undo });
    await journal.record({ type: 'fault.marked', step: 's1', mark: 'promoting', data: undo, pointOfNoReturn: false });

    expect((await readJournal(folder)).events).toMatchObject([{ undo }, { data: undo }]);
  });
});

const node = { host: 'web-1', address: '127.0.0.1', port: 5_432, dataDir: '/d', binDir: '/b', start: 'start', stop: 'stop' };

describe('a disk that is full', () => {
  const noLimits = !existsSync('/usr/bin/prlimit') ? 'prlimit is not installed' : undefined;

  it('makes record reject, leaves no half line behind, and lets later records through once there is room', async (context) => {
    if (noLimits !== undefined) context.skip(noLimits);
    await using journal = await JournalWriter.create(folder, options);
    await journal.record(waiting(1));
    const { size } = await stat(journalPath(folder));

    await withFileLimit(size + 20, async () => {
      await expect(journal.record(waiting(2))).rejects.toMatchObject({ code: 'CHAOS_JOURNAL' });
      await expect(journal.record(waiting(3))).rejects.toMatchObject({ code: 'CHAOS_JOURNAL' });
    });
    await journal.record(waiting(4));

    const { events, torn } = await readJournal(folder);
    expect(torn).toBe(false);
    expect(events).toMatchObject([waiting(1), waiting(4)]);
  });

  it('does not stop the records queued behind the failed one', async (context) => {
    if (noLimits !== undefined) context.skip(noLimits);
    await using journal = await JournalWriter.create(folder, options);
    await journal.record(waiting(1));
    const { size } = await stat(journalPath(folder));

    await withFileLimit(size + 150, async () => {
      const answers = await Promise.allSettled([journal.record(finishedOperation('x'.repeat(400))), journal.record(waiting(2))]);
      expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'fulfilled']);
    });

    expect((await readJournal(folder)).events).toMatchObject([waiting(1), waiting(2)]);
  });

  it('never reaches the code that undoes', async () => {
    const failures: unknown[] = [];
    const failing = tolerant(
      () => Promise.reject(new Error('full')),
      (error) => void failures.push(error),
    );
    const throwing = tolerant(
      () => {
        throw new Error('at once');
      },
      (error) => void failures.push(error),
    );

    await expect(failing(waiting(1))).resolves.toBeUndefined();
    await expect(throwing(waiting(1))).resolves.toBeUndefined();
    expect(failures.map(String)).toEqual(['Error: full', 'Error: at once']);
  });
});
