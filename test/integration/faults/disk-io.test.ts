/** `disk-io` on the disk under the temporary folder of this machine, with few megabytes. */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { diskIo } from '../../../src/faults/disk-io/index.ts';
import { FaultRun, runId } from '../../support/fault-run.ts';

const notHere = whyNotHere();
if (notHere !== undefined) console.warn(`skipped: disk-io on a real disk: ${notHere}`);

/** Memory is no disk, and without direct I/O nothing can be read past the cache. */
function whyNotHere(): string | undefined {
  const kind = spawnSync('stat', ['-f', '-c', '%T', tmpdir()], { encoding: 'utf8' }).stdout.trim();
  if (kind === 'tmpfs' || kind === 'ramfs') return `${tmpdir()} is ${kind}`;
  const file = join(tmpdir(), `chaos-test-direct-${process.pid}`);
  const tried = spawnSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=4096', 'count=1', 'oflag=direct']);
  rmSync(file, { force: true });
  return tried.status === 0 ? undefined : `no direct I/O in ${tmpdir()}`;
}

let home: string;
let data: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'chaos-test-io-'));
  data = join(home, "the app's $data");
  mkdirSync(data);
  writeFileSync(join(data, 'precious'), 'as it was');
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

function io(parameters: JsonObject = {}, env: Readonly<Record<string, string>> = {}): FaultRun {
  const small = { path: data, workers: 2, size: '4MB', ...parameters };
  // A practice host keeps to its home, so that no test needs /var/lib.
  return new FaultRun(diskIo, {
    hosts: [{ id: 'one', home, env: { CHAOS_LAB_HOST: 'one', ...env } }],
    targets: ['one'],
    parameters: small,
  });
}

function untouched(): void {
  expect(readdirSync(data)).toEqual(['precious']);
  expect(readFileSync(join(data, 'precious'), 'utf8')).toBe('as it was');
}

const file = (): string => join(data, `chaos-${runId}-s1.1`);

/** Stands for a backup that is just reading it. */
function spawnReader(path: string): { readonly ready: Promise<unknown>; stop(): Promise<unknown> } {
  const child = spawn('sh', ['-c', 'exec 4<"$1"; echo open; exec sleep 600', 'sh', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  return {
    ready: new Promise((resolve) => child.stdout.once('data', resolve)),
    stop: () => {
      child.kill('SIGKILL');
      return gone;
    },
  };
}

describe.skipIf(notHere !== undefined)('disk-io', () => {
  test.each([
    ['read', /read [1-9]\d* kB\/s/],
    ['write', /wrote [1-9]\d* kB\/s/],
    ['both', /read [1-9]\d* kB\/s and wrote [1-9]\d* kB\/s/],
  ])('makes the disk %s, and leaves nothing, also when it is reverted twice', async (load, moved) => {
    await using run = io({ load, blockSize: '64kB' });

    await run.prepare();
    untouched();
    await run.inject();
    const effect = await run.verify();
    await run.revert();
    const once = await run.verifyReverted();
    await run.revert();
    const twice = await run.verifyReverted();

    expect(effect, JSON.stringify(effect)).toMatchObject({ effective: true });
    expect(effect.evidence[0]).toMatch(/2 of 2 workers/);
    expect(effect.evidence[0]).toMatch(moved);
    expect(effect.measures?.megabytesMoved).toBeGreaterThan(0);
    expect(once, JSON.stringify(once)).toMatchObject({ clean: true });
    expect(twice, JSON.stringify(twice)).toMatchObject({ clean: true });
    untouched();
  });

  test('is undone by another process that has the record only', async () => {
    await using run = io();
    await run.prepare();
    await run.inject();
    expect(existsSync(file())).toBe(true);

    await using successor = run.successor();
    await successor.revert();

    expect(await successor.verifyReverted()).toMatchObject({ clean: true });
    untouched();
  });

  test('a half injection leaves nothing: the disk cannot be read past its cache', async () => {
    // Stands for the dd of a file system without direct I/O: open fails with EINVAL, exit 1; all else is the real one.
    const bin = join(home, 'bin');
    mkdirSync(bin);
    writeFileSync(
      join(bin, 'dd'),
      '#!/bin/sh\ncase "$*" in *flag=direct*) echo "dd: Invalid argument" >&2; exit 1 ;; esac\nexec /usr/bin/dd "$@"\n',
    );
    chmodSync(join(bin, 'dd'), 0o755);
    const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` };
    await using run = io({ load: 'both' }, env);
    await run.prepare();

    await expect(run.inject()).rejects.toThrow('use load: write');
    await run.revert();

    expect(await run.verifyReverted()).toMatchObject({ clean: true });
    untouched();
    await using writing = io({ load: 'write' }, env);
    await writing.prepare();
    await writing.inject();
    expect(await writing.verify()).toMatchObject({ effective: true });
    await writing.revert();
    expect(await writing.verifyReverted()).toMatchObject({ clean: true });
    untouched();
  });

  test('is not in effect once its workers are gone', async () => {
    await using run = io();
    await run.prepare();
    await run.inject();
    spawnSync('sh', [
      '-c',
      `for p in $(grep -ls 'CHAOS_FAULT=${runId}-s1.1' /proc/[0-9]*/environ | cut -d/ -f3); do grep -qF "${home}" /proc/$p/environ && kill -9 $p; done`,
    ]);

    expect(await run.verify()).toMatchObject({ effective: false, evidence: ['one: no worker is alive'] });
    await run.revert();
    expect(await run.verifyReverted()).toMatchObject({ clean: true });
  });

  test('is not clean while somebody holds the removed file open', async () => {
    await using run = io();
    await run.prepare();
    await run.inject();
    const reader = spawnReader(file());
    try {
      await reader.ready;
      await run.revert().catch(() => undefined);
      expect(await run.verifyReverted()).toMatchObject({ clean: false });
    } finally {
      await reader.stop();
    }
    await run.revert();
    expect(await run.verifyReverted()).toMatchObject({ clean: true });
    untouched();
  });

  test('never writes through a link that somebody put in the place of its file', async () => {
    await using run = io();
    await run.prepare();
    symlinkSync(join(data, 'precious'), file());

    await expect(run.inject()).rejects.toThrow();
    await run.revert();

    expect(await run.verifyReverted()).toMatchObject({ clean: true });
    untouched();
  });

  test.each([
    ['a folder that is not there', () => ({ path: join(home, 'nowhere') }), 'is not a folder here'],
    ['a file', () => ({ path: join(data, 'precious') }), 'is not a folder here'],
    ['memory', () => ({ path: '/dev/shm' }), 'which is memory: there is no disk to load'],
    ['more than the disk has room for', () => ({ workers: 64, size: '64GB' }), 'ask for fewer workers or a smaller size'],
  ])('refuses %s', async (_what, parameters, message) => {
    await using run = io(parameters());

    await expect(run.prepare()).rejects.toThrow(message);
    untouched();
  });
});
