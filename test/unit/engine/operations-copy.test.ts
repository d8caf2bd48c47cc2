import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { ChaosError } from '../../../src/core/errors.ts';
import type { HostDriver } from '../../../src/drivers/contract.ts';
import type { Operation } from '../../../src/plan/plan.ts';
import { LocalDriver } from '../../support/engine-local-host.ts';
import { never, setUp } from '../../support/engine-operations.ts';
import { operation } from '../../support/engine-plan.ts';

describe('a copy', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chaos-copy-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const copy = (text: string, sink: string, changes: Partial<Operation> = {}): Operation =>
    operation('copy', { via: 'copy', changes: true, text, sink: { target: 'web-2', text: sink }, ...changes });
  const none = async (driver: LocalDriver): Promise<void> => {
    for (let tried = 0; tried < 50 && driver.alive() > 0; tried++) await systemClock.sleep(10, never);
    expect(driver.alive()).toBe(0);
  };

  it('pipes bytes exactly', async () => {
    const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_item, index) => (index * 31 + (index >> 8)) & 0xff));
    const [from, to] = [join(folder, 'from'), join(folder, 'to')];
    await writeFile(from, bytes);
    const driver = new LocalDriver();
    const { planned, sessions } = setUp({ operations: [copy(`cat ${from}`, `cat > ${to}`)], driver });
    await planned.run('copy');

    expect((await readFile(to)).equals(bytes)).toBe(true);
    await sessions[Symbol.asyncDispose]();
    await none(driver);
  });

  it('fails when its source fails, and when its sink does', async () => {
    const driver = new LocalDriver();
    const bad = [copy('echo half; echo broke >&2; exit 4', 'cat > /dev/null'), copy('echo all', 'cat > /dev/null; echo full >&2; exit 5')];
    for (const [index, message] of ['copy: exit code 4: broke', 'copy: exit code 5: full'].entries()) {
      const { planned } = setUp({ operations: bad.slice(index, index + 1), driver });
      await expect(planned.run('copy')).rejects.toMatchObject({ code: 'CHAOS_COMMAND', message });
    }
    await none(driver);
  });

  it('says what the sink said when it gives up early, at once, and ends the source', async () => {
    const driver = new LocalDriver();
    const before = systemClock.monotonic();
    for (const source of ['while :; do echo x; done', 'echo x; sleep 30']) {
      const { planned } = setUp({ operations: [copy(source, 'read line; echo no room >&2; exit 9', { timeoutMs: 5_000 })], driver });
      await expect(planned.run('copy')).rejects.toMatchObject({ message: 'copy: exit code 9: no room' });
    }

    expect(systemClock.monotonic() - before).toBeLessThan(8_000);
    await none(driver);
  });

  it('is ended on both sides by a stop', async () => {
    const driver = new LocalDriver();
    const stop = new AbortController();
    const { planned } = setUp({
      operations: [copy('while :; do echo x; sleep 0.01; done', 'cat > /dev/null')],
      driver,
      signal: stop.signal,
    });
    setTimeout(() => stop.abort(new Error('stopped')), 50);

    await expect(planned.run('copy')).rejects.toThrow('stopped');
    await none(driver);
  });

  it('starts nothing when either text cannot be filled in, and leaves nothing running when its sink cannot be started', async () => {
    const driver = new LocalDriver();
    const { planned } = setUp({ operations: [copy('sleep 30', 'cat > @file@')], driver });
    await expect(planned.run('copy', { variables: { file: '$(id)' } })).rejects.toMatchObject({ code: 'CHAOS_PLAN_DRIFT' });
    expect(driver.children).toHaveLength(0);

    const halfDriver: HostDriver = {
      kind: 'ssh',
      connect: async (host) => {
        const session = await driver.connect(host);
        if (host.id === 'web-1') return session;
        return {
          ...session,
          target: session.target,
          lost: session.lost,
          start: () => Promise.reject(new ChaosError('CHAOS_TARGET_LOST', 'gone')),
          run: session.run.bind(session),
          dial: () => Promise.reject(new Error('no')),
          [Symbol.asyncDispose]: async () => undefined,
        };
      },
    };
    const half = setUp({ operations: [copy('sleep 30', 'cat > /dev/null')], driver: halfDriver });
    await expect(half.planned.run('copy')).rejects.toMatchObject({ code: 'CHAOS_TARGET_LOST' });
    await none(driver);
  });
});
