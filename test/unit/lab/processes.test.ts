import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { identify, isAlive, labProcesses, readPostmaster, signalProcess } from '../../../src/lab/processes.ts';

const children: ChildProcess[] = [];
const folders: string[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function sleeper(options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {}): number {
  const child = spawn('sleep', ['30'], { stdio: 'ignore', ...options });
  children.push(child);
  if (child.pid === undefined) throw new Error('sleep did not start');
  return child.pid;
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'lab-unit-'));
  folders.push(made);
  return made;
}

test('knows a living process, and one that was killed as dead', async () => {
  const pid = sleeper();
  const identity = identify(pid);
  const before = isAlive(identity);

  children[0]?.kill('SIGKILL');
  await once(children[0] as ChildProcess, 'exit');

  expect(before).toBe(true);
  expect(isAlive(identity)).toBe(false);
});

test('never takes another process with the same number for the one it knew', () => {
  expect(isAlive({ ...identify(process.pid), start: '1' })).toBe(false);
});

test('a process that was gone when it was noted is never alive', () => {
  expect(isAlive(identify(2 ** 22 + 1))).toBe(false);
});

test('finds the processes that carry the lab in their environment, and leaves a person’s process in the folder alone', async () => {
  const dir = folder();
  const marked = sleeper({ env: { ...process.env, CHAOS_LAB: 'c0ffee' } });
  sleeper({ env: { ...process.env, CHAOS_LAB: 'c0ffee2' } });
  sleeper({ cwd: dir });

  await expect.poll(() => labProcesses('c0ffee', dir)).toEqual([{ pid: marked, postgres: false }]);
});

test('signals to processes that are gone are no error', () => {
  expect(() => signalProcess(2 ** 22 + 1, 'SIGTERM')).not.toThrow();
});

test.each([-1, 0, 1, Number.NaN, 2.5])('refuses to signal %d, which is everyone, one’s own group, init or nobody', (pid) => {
  expect(() => signalProcess(pid, 'SIGWINCH')).toThrow(RangeError);
});

test.each([
  ['12345\n/data\n1700000000\n20000\n\n127.0.0.1\n 5432001  98304\nready\n', { pid: 12_345, segment: 98_304 }],
  ['12345\n/data\n1700000000\n', { pid: 12_345 }],
  ['', undefined],
  ['not a number\n', undefined],
  ['1\n', undefined],
])('reads the pid file %j', (text, expected) => {
  const dir = folder();
  writeFileSync(join(dir, 'postmaster.pid'), text);

  expect(readPostmaster(dir)).toEqual(expected);
});
