/** Sweeping a host for the fuses of dead and living runs. */
import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { newRunId } from '../../../src/core/ids.ts';
import { sweepHost } from '../../../src/faults/fuse/sweep.ts';
import { FuseHost } from '../../support/fuse-host.ts';
import { localSession } from '../../support/local-session.ts';

const linux = process.platform === 'linux';
if (!linux) console.warn('skipped: fuses need Linux');
const never = new AbortController().signal;

function session(host: FuseHost) {
  return localSession({ id: 'web-1', home: host.home, env: { CHAOS_LAB_HOST: 'test' } });
}

/** Only what this test armed: other tests share the machine. */
async function sweep(host: FuseHost, run: string, force = false) {
  const { fuses, residue } = await sweepHost(session(host), force, never);
  return { fuses: fuses.filter(({ fuse }) => fuse.run === run), residue };
}

describe.runIf(linux)('a sweep', () => {
  test('reverts and removes what nobody holds, and has nothing to do the second time', async () => {
    using host = new FuseHost();
    const run = newRunId();
    const id = FuseHost.id(run);
    host.arm(id);
    host.inject(id);
    process.kill(host.pidOf(id, 'watcher'), 'SIGKILL');

    const first = await sweep(host, run);
    const second = await sweep(host, run);

    expect(first.fuses).toMatchObject([{ became: 'clean', detail: 'reverted: it was asked to', fuse: { id, state: 'injected' } }]);
    expect(second.fuses).toEqual([]);
    expect([host.broken, host.running, host.residue(id)]).toEqual([false, false, []]);
  });

  test('leaves alone what a living runner holds, until it is forced', async () => {
    using host = new FuseHost();
    const run = newRunId();
    const id = FuseHost.id(run);
    host.arm(id);
    const holder = host.hold(id);
    holder.stdin.write('renew\n');
    await once(holder.stdout, 'data');
    host.inject(id);

    const gently = await sweep(host, run);
    const stillThere = host.broken;
    const forced = await sweep(host, run, true);

    expect(gently.fuses).toMatchObject([{ became: 'live', detail: 'its runner is alive' }]);
    expect(stillThere).toBe(true);
    expect(forced.fuses).toMatchObject([{ became: 'clean' }]);
    expect([host.broken, host.residue(id)]).toEqual([false, []]);
  });

  test('removes a fuse that reverted by itself, and says what one that cannot revert said', async () => {
    using host = new FuseHost();
    const run = newRunId();
    const [alone, stuck] = [FuseHost.id(run, 1), FuseHost.id(run, 2)];
    host.arm(alone, { leaseS: 1 });
    host.arm(stuck, {}, { check: 'echo still broken; exit 3' });
    host.inject(stuck, 'true');
    process.kill(host.pidOf(stuck, 'watcher'), 'SIGKILL');
    await vi.waitFor(() => expect(host.list().out).toMatch(new RegExp(`${alone} state=reverted`)), { timeout: 15_000, interval: 200 });

    const { fuses } = await sweep(host, run);

    expect(fuses).toMatchObject([
      { became: 'clean', detail: 'already reverted: no sign of life for 1 s' },
      { became: 'failed', detail: expect.stringContaining('still broken') as string },
    ]);
  });

  test('tells processes that carry the mark of a fault and belong to no fuse', async () => {
    using host = new FuseHost();
    const run = newRunId();
    const left = host.start(`CHAOS_FAULT=${run}-s1.1 exec sleep 100`);
    await vi.waitFor(async () =>
      expect((await sweep(host, run)).residue).toContainEqual(expect.stringContaining(`process ${left.pid}: sleep 100`)),
    );
    left.kill('SIGKILL');
  });

  test('knows nothing of a host whose shell gives no list', async () => {
    using host = new FuseHost();
    const broken = {
      ...session(host),
      run: async () =>
        ({ ended: 'exited', exitCode: 1, signal: null, stdout: 'hello', stderr: '', truncated: false, durationMs: 1 }) as const,
    };

    await expect(sweepHost(broken, false, never)).rejects.toThrow('its fuses cannot be listed: hello');
  });
});
