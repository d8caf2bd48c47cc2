import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { signalProcess } from '../../../src/lab/processes.ts';
import { type ServiceSpec, superviseService } from '../../../src/lab/service.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lab-unit-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Tells its number and its settings, then stays until its input ends. */
const program = `process.stdin.on('data', (line) => console.log(process.pid, String(line).trim())).on('end', () => process.exit(0));`;

function spec(): ServiceSpec {
  const entry = join(dir, 'program.cjs');
  writeFileSync(entry, program);
  return { name: 'thing', entry, account: undefined, env: {}, cwd: dir, logFile: join(dir, 'log'), settings: { a: 1 } };
}

function starts(): number[] {
  try {
    return readFileSync(join(dir, 'log'), 'utf8')
      .trim()
      .split('\n')
      .filter((line) => line.endsWith('{"a":1}'))
      .map((line) => Number.parseInt(line, 10));
  } catch {
    return [];
  }
}

function alive(pid: number | undefined): boolean {
  try {
    if (pid === undefined) return false;
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('starts a killed program again after half a second, with the same settings', async () => {
  await using _service = superviseService(spec(), () => undefined);
  await expect.poll(() => starts().length).toBe(1);

  const killedAt = performance.now();
  signalProcess(starts()[0] ?? 0, 'SIGKILL');
  await expect.poll(() => starts().length, { timeout: 5_000, interval: 10 }).toBe(2);

  expect(performance.now() - killedAt).toBeGreaterThan(490);
  expect(starts()[1]).not.toBe(starts()[0]);
});

test('ends the program for good when it is disposed, also a stopped one', async () => {
  const service = superviseService(spec(), () => undefined);
  await expect.poll(() => starts().length).toBe(1);
  signalProcess(starts()[0] ?? 0, 'SIGSTOP');

  await service[Symbol.asyncDispose]();
  await new Promise((resolve) => setTimeout(resolve, 700));

  expect(alive(starts()[0])).toBe(false);
  expect(starts().length).toBe(1);
});

test('can be disposed while it waits to start the program again', async () => {
  const service = superviseService(spec(), () => undefined);
  await expect.poll(() => starts().length).toBe(1);
  signalProcess(starts()[0] ?? 0, 'SIGKILL');
  await expect.poll(() => alive(starts()[0])).toBe(false);

  await service[Symbol.asyncDispose]();
  await new Promise((resolve) => setTimeout(resolve, 700));

  expect(starts().length).toBe(1);
});

test('does not follow a link laid where its log should be', () => {
  const one = spec();
  symlinkSync(join(dir, 'elsewhere'), one.logFile);

  expect(() => superviseService(one, () => undefined)).toThrow(/ELOOP/);
});
