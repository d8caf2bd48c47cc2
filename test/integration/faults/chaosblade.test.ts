/** `chaosblade` with a stand-in for the blade command, real processes and the real fuse. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { chaosblade } from '../../../src/faults/chaosblade/index.ts';
import { blade, bladeAtWork } from '../../support/blade.ts';
import { ConfinedHost, unconfined } from '../../support/confined-host.ts';
import { FaultRun, runId } from '../../support/fault-run.ts';

if (unconfined !== undefined) console.warn(`skipped: chaosblade: ${unconfined}`);

const uid = `${runId}xs1x1`;

function run(place: ConfinedHost, parameters: JsonObject): FaultRun {
  return new FaultRun(place.confine(chaosblade), { hosts: [place.host], targets: ['web-1'], parameters });
}

const start = (): Promise<ConfinedHost> => ConfinedHost.start({ stubs: { blade } });
const kept = (name: string): string => join('bin/blade.d', name);
const read = (place: ConfinedHost, name: string): string =>
  existsSync(join(place.home, kept(name))) ? readFileSync(join(place.home, kept(name)), 'utf8') : '';
const burning = (place: ConfinedHost): boolean => place.sh(bladeAtWork).code === 0;
const status = (place: ConfinedHost): string => read(place, `records/${uid}`);

describe.skipIf(unconfined !== undefined)('chaosblade', () => {
  test('creates an experiment with the words as they are, proves it, and destroys it by its uid, once', async () => {
    using place = await start();
    const words = ['--cpu-percent', '60', '--note', `it's "$(id)"; \`id\` \\ * ~ é`];
    await using fault = run(place, { create: ['cpu', 'fullload', ...words], verify: bladeAtWork });

    await fault.prepare();
    const before = read(place, 'words');
    await fault.inject();
    const effect = await fault.verify();
    const during = burning(place);
    const left = await fault.verifyReverted();
    await fault.revert();
    await fault.revert();
    const check = await fault.verifyReverted();

    expect(before).toBe('');
    expect(read(place, 'words')).toBe(`${words.join('\n')}\n`);
    expect(effect).toEqual({ effective: true, evidence: ['web-1: blade status: Success', 'web-1: verify sees the effect'] });
    expect(during).toBe(true);
    expect(left).toMatchObject({ clean: false, evidence: ['web-1: blade status: Success'] });
    expect(check).toMatchObject({
      clean: true,
      evidence: ['web-1: blade status: Destroyed', 'web-1: verify does not see the effect any more'],
    });
    expect(burning(place)).toBe(false);
    expect(read(place, 'destroyed')).toBe(`${uid}\n`);
  });

  test('ends a creation that is still at work, and destroys what it began', async () => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'slow'] });

    await fault.prepare();
    const injection = fault.inject().then(
      () => 'injected',
      () => 'failed',
    );
    await expect.poll(() => status(place), { timeout: 10_000 }).toBe('Created');
    await fault.revert();

    expect(await injection).toBe('failed');
    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
    expect(status(place)).toBe('');
    expect(place.sh(`pgrep -f '[${uid[0]}]${uid.slice(1)}'`).out).toBe('');
  });

  test('destroys an experiment that failed half-way, and says why it failed', async () => {
    using place = await start();
    await using fault = run(place, { create: ['disk', 'broken'] });

    await fault.prepare();
    await expect(fault.inject()).rejects.toThrow('no space left on device');
    await fault.revert();

    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
    expect([status(place), burning(place)]).toEqual(['Destroyed', false]);
  });

  test('has nothing to undo when blade refused the words', async () => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'fullload', '--unheard-of'] });

    await fault.prepare();
    await expect(fault.inject()).rejects.toThrow('unknown flag: --unheard-of');
    await fault.revert();

    expect(await fault.verifyReverted()).toMatchObject({ clean: true, evidence: ['web-1: blade status: none'] });
  });

  test('destroys an experiment that blade gave another uid', async () => {
    using place = await start();
    await using fault = run(place, { create: ['old', 'fullload'] });
    await fault.prepare();
    place.sh('blade create cpu fullload');

    await expect(fault.inject()).rejects.toThrow('another uid (5f2e8a9c0d1b7e34)');
    await fault.revert();

    expect(read(place, 'records/5f2e8a9c0d1b7e34')).toBe('Destroyed');
    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
  });

  test('ends a process that blade says it destroyed and left', async () => {
    using place = await start();
    const sleeps = (): boolean => place.sh('pgrep -f "^sleep 60[0]"').code === 0;
    await using fault = run(place, { create: ['disk', 'stuck'] });

    await fault.prepare();
    await fault.inject();
    const during = sleeps();
    await fault.revert();

    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
    expect([during, sleeps(), status(place)]).toEqual([true, false, 'Destroyed']);
  });

  test('is clean when the program of the experiment was killed, which blade will not destroy', async () => {
    using place = await start();
    await using fault = run(place, { create: ['mem', 'load'] });

    await fault.prepare();
    await fault.inject();
    place.sh('pkill -KILL -f "chaos_o[s] create"');
    const before = status(place);
    await fault.revert();

    expect(before).toBe('Success');
    expect(await fault.verifyReverted()).toMatchObject({ clean: true, evidence: ['web-1: blade status: none'] });
  });

  test('is not in effect when its program ended at once, whatever create said, and clean after', async () => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'gone'] });

    await fault.prepare();
    await fault.inject();
    const effect = await fault.verify();
    await fault.revert();

    expect(effect).toMatchObject({ effective: false, evidence: ['web-1: blade status: Error'] });
    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
  });

  test.each([
    ['readonly', 'blade status: Success'],
    ['locked', 'blade status: unknown'],
  ])('is not clean while the records of blade are %s, and clean after', async (how, evidence) => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'fullload'] });

    await fault.prepare();
    await fault.inject();
    place.sh(`: >${kept(how)}`);
    await expect(fault.revert()).rejects.toThrow();
    const first = await fault.verifyReverted();
    place.sh(`rm ${kept(how)}`);
    await fault.revert();

    expect(first).toMatchObject({ clean: false });
    expect(first.evidence[0]).toBe(`web-1: ${evidence}`);
    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
  });

  test('is not in effect when the author sees none, whatever blade says', async () => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'fullload'], verify: 'false' });

    await fault.prepare();
    await fault.inject();

    expect(await fault.verify()).toMatchObject({ effective: false });
    await fault.revert();
  });

  test('is not in effect any more when somebody destroyed it', async () => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'fullload'] });

    await fault.prepare();
    await fault.inject();
    place.sh(`blade destroy ${uid}`);

    expect(await fault.verify()).toMatchObject({ effective: false, evidence: ['web-1: blade status: Destroyed'] });
    await fault.revert();
    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
  });

  test.each([
    ['a host without blade', { blade: '/opt/nowhere/blade' }, 'there is no blade command (/opt/nowhere/blade)'],
    ['a blade that does not run', { blade: '/bin/false' }, '/bin/false does not run'],
    ['an effect that is there already', { verify: 'true' }, 'verify sees the effect before anything was injected'],
  ])('refuses %s', async (_what, parameters, message) => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'fullload'], ...parameters });

    await expect(fault.prepare()).rejects.toThrow(message);
  });
});
