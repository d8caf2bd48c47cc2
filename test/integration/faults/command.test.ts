/** `command` with a real shell: what its author wrote is run, proved and undone. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { command } from '../../../src/faults/command/index.ts';
import { FaultRun, runId } from '../../support/fault-run.ts';

let homes: string[];
beforeEach(() => {
  homes = [0, 1].map(() => mkdtempSync(join(tmpdir(), 'chaos-test-command-')));
});
afterEach(() => {
  for (const [index, home] of homes.entries()) {
    const memory = `/dev/shm/chaos-${process.getuid?.()}/${runId}-s1.${index + 1}`;
    if (existsSync(join(memory, 'watcher'))) process.kill(Number(readFileSync(join(memory, 'watcher'), 'utf8').split(' ')[0]), 'SIGKILL');
    for (const folder of [home, memory]) rmSync(folder, { recursive: true, force: true });
  }
});

const sound = { inject: 'touch broken', verify: '[ -e broken ]', revert: 'rm -f broken' };

function run(parameters: JsonObject): FaultRun {
  // As hosts of a lab they keep their fuses in their homes.
  const hosts = homes.map((home, index) => ({ id: ['one', 'two'][index] ?? '', home, env: { CHAOS_LAB_HOST: String(index) } }));
  return new FaultRun(command, { hosts, targets: ['one', 'two'], parameters });
}

function broken(): boolean[] {
  return homes.map((home) => existsSync(join(home, 'broken')));
}

describe('command', () => {
  test('injects on every target and reverts on every target', async () => {
    await using fault = run(sound);

    await fault.prepare();
    await fault.inject();
    const during = broken();
    const effect = await fault.verify();
    await fault.revert();

    expect(during).toEqual([true, true]);
    expect(effect.effective).toBe(true);
    expect(broken()).toEqual([false, false]);
    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
  });

  test('what the fuse read back when it was pulled is not asked again', async () => {
    await using fault = run({ ...sound, check: '[ ! -e broken ]' });
    await fault.prepare();
    await fault.inject();

    const check = await fault.verifyReverted(await fault.revert());
    const asked = fault.ran().filter((id) => id.startsWith('check-'));

    expect(check).toEqual({ clean: true, evidence: ['one: check exited 0', 'two: check exited 0'], findings: [] });
    expect(asked).toEqual([]);
  });

  test('of a fuse that had reverted before, nothing is believed: the target is looked at', async () => {
    await using fault = run(sound);
    await fault.prepare();
    await fault.inject();
    await fault.revert();
    writeFileSync(join(homes[1] ?? '', 'broken'), '');

    const check = await fault.verifyReverted(await fault.revert());

    expect(check).toMatchObject({ clean: false });
    expect(fault.ran().filter((id) => id.startsWith('check-'))).toEqual(['check-one', 'check-two']);
  });

  test('refuses when the fault is there already', async () => {
    writeFileSync(join(homes[1] ?? '', 'broken'), '');
    await using fault = run(sound);

    await expect(fault.prepare()).rejects.toThrow('two: the fault is in effect before it was injected');
  });

  test('refuses when its verify command cannot be run at all', async () => {
    await using fault = run({ ...sound, verify: 'no-such-tool-here' });

    await expect(fault.prepare()).rejects.toThrow('one: verify cannot be run (exit code 127)');
  });

  test('is not effective when verify says so', async () => {
    await using fault = run({ ...sound, inject: 'true' });

    await fault.prepare();
    await fault.inject();

    expect(await fault.verify()).toMatchObject({ effective: false });
  });

  test('tries the revert on all targets although one fails, and is not clean', async () => {
    await using fault = run({ ...sound, revert: '[ ! -e stuck ] && rm -f broken' });
    await fault.prepare();
    await fault.inject();
    writeFileSync(join(homes[1] ?? '', 'stuck'), '');

    await expect(fault.revert()).rejects.toThrow('the revert command failed');

    expect(broken()).toEqual([false, true]);
    expect(await fault.verifyReverted()).toMatchObject({ clean: false });
  });

  test('believes its own check where there is one', async () => {
    await using fault = run({ ...sound, check: '[ ! -e residue ]' });
    await fault.prepare();
    await fault.inject();
    writeFileSync(join(homes[0] ?? '', 'residue'), '');
    await fault.revert();

    expect(await fault.verifyReverted()).toMatchObject({ clean: false, evidence: ['one: check exited 1', 'two: check exited 0'] });
  });

  test('does not take a verify that was killed for one that says no', async () => {
    await using fault = run({ ...sound, verify: 'if [ -e kill ]; then kill -9 $$; fi; [ -e broken ]' });
    await fault.prepare();
    await fault.inject();
    for (const home of homes) writeFileSync(join(home, 'kill'), '');
    await fault.revert();

    expect(await fault.verifyReverted()).toMatchObject({ clean: false });
  });

  test('ends a command that takes too long', async () => {
    await using fault = run({ ...sound, inject: 'sleep 30', timeout: '300ms' });
    await fault.prepare();

    await expect(fault.inject()).rejects.toThrow('inject: no end within 300 ms');
  });
});
