import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noteSegments, readNoted, removeSegments } from '../../../src/lab/shared-memory.ts';

test('notes each segment once, also of servers beside the first data folder', () => {
  const dir = mkdtempSync(join(tmpdir(), 'lab-unit-'));
  for (const [name, pid, segment] of [
    ['data', 100, 7],
    ['data.chaos-abc', 200, 9],
  ] as const) {
    mkdirSync(join(dir, 'hosts', 'db-a', name), { recursive: true });
    writeFileSync(join(dir, 'hosts', 'db-a', name, 'postmaster.pid'), `${pid}\n\n\n\n\n\n1 ${segment}\nready\n`);
  }

  noteSegments(dir);
  noteSegments(dir);
  const noted = readNoted(dir);
  rmSync(dir, { recursive: true });

  expect(noted).toEqual([
    { segment: 7, pid: 100 },
    { segment: 9, pid: 200 },
  ]);
});

test('a lab that never had a server has nothing noted', () => {
  expect(readNoted('/nowhere')).toEqual([]);
});

test('removes a segment only when it was made by the noted server', (context) => {
  const made = tryMake();
  if (made === undefined) return context.skip('needs Linux and ipcmk');

  const strange = removeSegments([{ segment: made.id, pid: made.maker + 1 }]);
  const ours = removeSegments([{ segment: made.id, pid: made.maker }]);

  expect(strange).toEqual([]);
  expect(ours).toEqual([made.id]);
  expect(find(made.id)).toBeUndefined();
});

function tryMake(): { readonly id: number; readonly maker: number } | undefined {
  try {
    const id = Number(/\d+\s*$/.exec(execFileSync('ipcmk', ['-M', '4096'], { encoding: 'utf8' }))?.[0]);
    return find(id);
  } catch {
    return undefined;
  }
}

function find(id: number): { readonly id: number; readonly maker: number } | undefined {
  const rows = readFileSync('/proc/sysvipc/shm', 'utf8').split('\n').slice(1);
  const row = rows.map((line) => line.trim().split(/\s+/)).find((columns) => Number(columns[1]) === id);
  return row === undefined ? undefined : { id, maker: Number(row[4]) };
}
