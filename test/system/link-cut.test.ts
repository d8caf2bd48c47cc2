/**
 * Every fault that is held, each on a host of its own and all at the same time: all links are cut, and half of the runners killed. Each target
 * has to revert alone within its lease. A second time with the halves the other way round.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { mapLimit } from '../../src/core/limit.ts';
import { type FaultCase, faultCases } from './fault-cases.ts';
import { note } from './note.ts';
import { bed, useBed } from './testbed/bed.ts';
import { expectClean } from './testbed/clean.ts';
import type { Finished, Runner } from './testbed/testbed.ts';
import { revertedAfter, stateOf, watch } from './watch.ts';

const unavailable = useBed({ uml: 10, ns: 10 });

const leaseSeconds = 15;
const limitSeconds = leaseSeconds + 5;

interface Started {
  readonly one: FaultCase;
  readonly runner: Runner;
  readonly killed: boolean;
  /** Folder of its journal. */
  readonly reports: string;
  /** The target's own state before, as text. */
  readonly before: string;
  readonly id: string;
}

const run = (name: string, environment: string): Runner => bed.chaos('run', name, '--env', environment, '--yes', '--reports', name);

async function inEffect(one: FaultCase, wave: number, killed: boolean): Promise<Started> {
  const name = `wave-${wave}-${one.target}`;
  const before = await stateOf(one.target);
  bed.experiment(name, one.fault.replace(/ .*/, ''), { host: one.target }, one.parameters, '150s', '3s');
  const runner = run(name, `only-${one.target}`);
  await runner.until(/is in effect/);
  return { one, runner, killed, reports: name, before, id: /run (\w{6}) of/.exec(runner.said())?.[1] ?? '' };
}

async function seen({ one, runner }: Started): Promise<void> {
  const words = await vi.waitFor(
    async () => {
      const look = await one.see();
      expect(look, `${one.fault} is not seen; its runner: ${runner.said()}`).toBeDefined();
      return look;
    },
    { timeout: 30_000, interval: 200 },
  );
  note(one.fault, 'seen from outside', words ?? '');
}

/** The lock is the host's, so another environment file and another folder of journals do not help. */
async function secondRefused({ one, runner }: Started): Promise<void> {
  const name = `second-${one.target}`;
  bed.experiment(name, 'process-pause', { host: one.target }, { match: '^/lib/systemd/systemd-logind$' }, '3s');
  const { code, out } = await run(name, `also-${one.target}`).finished;

  expect(code, `${one.fault}: ${out}\nthe first: ${runner.said()}`).toBe(3);
  expect(out).toMatch(new RegExp(`${one.target}: .*${one.fault.replace(/ .*/, '')}`));
  note(one.fault, 'twice at once', 'refused');
}

async function revertedAlone({ one, id, killed }: Started, cutAt: number): Promise<void> {
  await bed.reachable(one.target);
  const { seconds, words } = await vi.waitFor(
    async () => {
      const record = await revertedAfter(one.target, id, cutAt);
      expect(record.seconds, `${one.fault}: no record of its revert`).not.toBeNaN();
      return record;
    },
    { timeout: 10_000, interval: 500 },
  );

  expect(words, one.fault).toBe(`reverted no sign of life for ${leaseSeconds} s`);
  expect(seconds, one.fault).toBeLessThan(limitSeconds);
  await unseen(one);
  note(one.fault, killed ? 'cut and killed' : 'link cut', `reverted after ${seconds.toFixed(1)} s`);
}

async function unseen(one: FaultCase): Promise<void> {
  await vi.waitFor(async () => expect(await one.see(), `${one.fault}: still seen`).toBeUndefined(), { timeout: 10_000, interval: 200 });
}

async function finished(started: Started): Promise<void> {
  const { one, runner, killed, reports, id, before } = started;
  const recover = (): Promise<Finished> => bed.chaos('recover', id, '--reports', reports).finished;
  const ended = killed ? await recover() : await runner.finished;

  expect(ended.code, `${one.fault}: ${ended.out}`).toBe(killed ? 7 : 5);
  expect(ended.out).toMatch(/rollback +clean/);
  await unseen(one);
  const again = await recover();
  expect(again, again.out).toMatchObject({ code: 0, out: expect.stringContaining('nothing was changed') });
  await expectClean(bed, one.target);
  expect(await stateOf(one.target), `${one.fault}: the state before`).toBe(before);
  if (killed) note(one.fault, 'recover twice', 'clean, then nothing to do');
}

const byHand = '/run/by-hand';

/** What the fuse would run, with all values filled in. */
async function keepUndo({ one, id }: Started): Promise<void> {
  expect(
    await bed.ssh(one.target, `mkdir ${byHand} && cp /var/lib/chaos/${id}-s1.1/undo /var/lib/chaos/${id}-s1.1/check ${byHand}/`),
  ).toMatchObject({
    code: 0,
  });
}

async function undoneByHand({ one, before }: Started): Promise<void> {
  const { code, out } = await bed.ssh(one.target, `cd ${byHand} && sh undo && sh undo && sh check 2>&1`);

  expect(code, `${one.fault}: ${out}`).toBe(0);
  await unseen(one);
  expect(await stateOf(one.target), `${one.fault}: the state before`).toBe(before);
  note(one.fault, 'undone twice by hand', 'nothing changes');
}

/** So many runners start at a time: each takes a core for a second or two. */
const atOnce = 4;

/** What fails is told of every one of them, not of the first alone. */
async function all<T, R>(items: readonly T[], work: (item: T) => Promise<R>, limit = items.length): Promise<R[]> {
  const failures: unknown[] = [];
  const never = new AbortController().signal;
  const results = await mapLimit(items, limit, async (item) => work(item).catch((error: unknown) => void failures.push(error)), never);
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
  return results.filter((result) => result !== undefined);
}

describe.skipIf(unavailable !== undefined)('with all links cut', () => {
  beforeAll(async () => {
    await all(faultCases, async ({ target, first = 'true' }) => expect(await bed.ssh(target, first)).toMatchObject({ code: 0 }));
    await all(faultCases, ({ target }) => watch(target));
  }, 120_000);

  test.each([1, 2])(
    'every target reverts alone within its lease, whether its runner lives or not (%i of 2)',
    {
      timeout: 400_000,
      retry: 0,
    },
    async (wave) => {
      const started = await all(faultCases, (one: FaultCase) => inEffect(one, wave, faultCases.indexOf(one) % 2 === wave % 2), atOnce);
      await all(started, seen, atOnce);
      await all(started, wave === 1 ? secondRefused : keepUndo, atOnce);

      await Promise.all(faultCases.map(({ target }) => bed.cut(target)));
      const cutAt = performance.now();
      for (const { killed, runner } of started) if (killed) runner.child.kill('SIGKILL');
      await sleep(limitSeconds * 1_000);
      await Promise.all(faultCases.map(({ target }) => bed.heal(target)));

      await all(started, (each) => revertedAlone(each, cutAt));
      await all(started, finished, atOnce);
      if (wave === 2) await all(started, undoneByHand, atOnce);
      const swept = await bed.chaos('recover', '--sweep', '--env', 'bed').finished;
      expect(swept, swept.out).toMatchObject({ code: 0 });
      expect(swept.out).toContain(
        `${faultCases.length} of ${faultCases.length} hosts asked, 0 reverted and removed, 0 left to their runners, 0 failed`,
      );
    },
  );
});
