import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JournalEvent } from '../../../src/journal/events.ts';
import { foldRun } from '../../../src/journal/fold.ts';
import { longestRemoval, removalMs } from '../../../src/journal/removal.ts';
import { crashedRunner, heldFailover, rollbackIncomplete } from '../../support/journal-builder.ts';

let reports: string;

async function store(name: string, events: readonly JournalEvent[]): Promise<void> {
  await mkdir(join(reports, name));
  await writeFile(join(reports, name, 'journal.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

/** The same run with a rollback that took `ms`. */
function taking(ms: number): JournalEvent[] {
  return heldFailover().map((event) => (event.type === 'fault.reverted' ? { ...event, t: 34_705 + ms } : event));
}

beforeAll(async () => {
  reports = await mkdtemp(join(tmpdir(), 'chaos-removal-'));
  await store('2026-03-01-db-failover-aaaaaa', taking(90_000));
  for (const [day, ms] of [7_000, 4_000, 5_000, 6_000, 3_000].entries())
    await store(`2026-03-0${day + 2}-db-failover-bbbbb${'abcde'[day]}`, taking(ms));
  await store('2026-03-08-db-failover-cccccc', rollbackIncomplete());
  await store('2026-03-08-db-failover-two-dddddd', taking(80_000));
  await store('2026-03-09-db-failover-eeeeee', []);
});

afterAll(() => rm(reports, { recursive: true, force: true }));

test('is the time from the start of undoing until everything was proved gone', () => {
  expect(removalMs(foldRun(heldFailover()))).toBe(5_995);
});

test('is not known of a run that did not undo everything, or had nothing to undo', () => {
  expect(removalMs(foldRun(rollbackIncomplete()))).toBeUndefined();
  expect(removalMs(foldRun(crashedRunner()))).toBeUndefined();
  expect(removalMs(foldRun([]))).toBeUndefined();
});

test('of an experiment is the longest of its last five runs there', async () => {
  expect(await longestRemoval(reports, 'db-failover', 'lab/environment.yaml')).toBe(7_000);
});

test('is not known where it never ran', async () => {
  expect(await longestRemoval(reports, 'db-failover', 'other/environment.yaml')).toBeUndefined();
  expect(await longestRemoval(reports, 'cpu-full', 'lab/environment.yaml')).toBeUndefined();
  expect(await longestRemoval(join(reports, 'none'), 'db-failover', 'lab/environment.yaml')).toBeUndefined();
});
