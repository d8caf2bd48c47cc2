import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { labDir, labIdOf } from '../../../src/lab/layout.ts';
import { type LabRecord, readRecord, writeRecord } from '../../../src/lab/record.ts';
import { takeDown } from '../../../src/lab/take-down.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lab-unit-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const record: LabRecord = {
  version: 1,
  id: 'abc123',
  state: 'up',
  startedAt: '2026-01-01T00:00:00.000Z',
  starter: { pid: 1, start: '1' },
  replication: 'sync',
  postgres: { binDir: '/bin', version: '18.4' },
  basePort: 20_000,
};

test('reads back what was written, with nothing beside it', () => {
  writeRecord(dir, record);

  expect(readRecord(dir)).toEqual(record);
  expect(readdirSync(dir)).toEqual(['lab.json']);
  expect(statSync(join(dir, 'lab.json')).mode & 0o777).toBe(0o600);
});

test.each(['', '{', '{"version":2}', 'null', JSON.stringify({ ...record, keeper: { pid: -1, start: '' } })])(
  'takes %j for no record',
  (text) => {
    writeFileSync(join(dir, 'lab.json'), text);

    expect(readRecord(dir)).toBeUndefined();
  },
);

test('knows lab folders by name and no others', () => {
  expect(labIdOf('chaos-lab-00ff12')).toBe('00ff12');
  for (const name of ['chaos-lab-', 'chaos-lab-00ff1', 'chaos-lab-00ff123', 'chaos-lab-../../x', 'chaos-other']) {
    expect(labIdOf(name)).toBeUndefined();
  }
});

test('refuses to take down, and so to remove, any other folder', async () => {
  await expect(takeDown('abc123', dir)).rejects.toMatchObject({ code: 'CHAOS_LAB' });
  await expect(takeDown('abc123', labDir('def456'))).rejects.toMatchObject({ code: 'CHAOS_LAB' });

  expect(readdirSync(dir)).toEqual([]);
});
