/**
 * Faults that strike once: a kill, a restart. The runner dies, or its link is cut, before what they struck has come back. Nothing is left, and
 * recover tells the truth.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { note } from './note.ts';
import { unserved } from './seen.ts';
import { bed, useBed } from './testbed/bed.ts';
import { expectClean } from './testbed/clean.ts';
import type { Runner } from './testbed/testbed.ts';
import { stateOf } from './watch.ts';

const unavailable = useBed({ uml: 5, ns: 4 });

const leaseSeconds = 15;
const limitSeconds = leaseSeconds + 5;

interface OneShot {
  readonly fault: string;
  readonly on: { readonly killed: string; readonly cut: string };
  readonly parameters: object;
  readonly first?: string;
  /** What is seen of it while it has not come back. */
  see(target: string): Promise<string | undefined>;
}

/** Slow enough to be caught while it is away. */
const slow = (seconds: number): string => `mkdir -p /etc/systemd/system/demo.service.d
printf '[Service]\\nRestartSec=${seconds}s\\n' >/etc/systemd/system/demo.service.d/slow.conf && systemctl daemon-reload`;

const faults: readonly OneShot[] = [
  {
    fault: 'service-kill',
    on: { killed: 'n1', cut: 'n2' },
    parameters: { unit: 'demo', comesBackWithin: '60s' },
    first: slow(30),
    see: unserved,
  },
  {
    fault: 'process-kill',
    on: { killed: 'n3', cut: 'n4' },
    parameters: { match: '^/usr/bin/perl /usr/local/bin/demo$', comesBackWithin: '60s' },
    first: slow(12),
    see: unserved,
  },
  {
    fault: 'container-kill',
    on: { killed: 'h1', cut: 'h2' },
    parameters: { container: 'box', comesBackWithin: '60s' },
    first: `[ ! -e /usr/bin/podman-at-once ] || exit 0
podman run -d --name box --restart always --network none --log-driver none --rootfs /srv/box /bin/busybox sleep 100000
mv /usr/bin/podman /usr/bin/podman-at-once && cat >/usr/bin/podman <<'X' && chmod +x /usr/bin/podman
#!/bin/sh
case "$*" in *'container cleanup'*) sleep 30 ;; esac
exec /usr/bin/podman-at-once "$@"
X`,
    see: async (target) => {
      const state = (await bed.ssh(target, "podman container inspect -f '{{.State.Status}}' box")).out.trim();
      return state === 'running' ? undefined : state;
    },
  },
];

const run = (name: string, environment: string): Runner => bed.chaos('run', name, '--env', environment, '--yes', '--reports', name);

/** The lock is the host's, so another environment file and another folder of journals do not help. */
async function secondRefused(fault: string, target: string): Promise<void> {
  const name = `second-${target}`;
  bed.experiment(name, 'process-kill', { host: target }, { match: '^/lib/systemd/systemd-logind$' }, 'none');
  const { code, out } = await run(name, `also-${target}`).finished;

  expect(code, `${fault}: ${out}`).toBe(3);
  expect(out).toMatch(new RegExp(`${target}: .*${fault}`));
  note(fault, 'twice at once', 'refused');
}

async function struck({ fault, parameters, first = 'true', see }: OneShot, target: string) {
  expect(await bed.ssh(target, first)).toMatchObject({ code: 0 });
  const before = await stateOf(target);
  const name = `once-${target}`;
  bed.experiment(name, fault, { host: target }, parameters, 'none');
  const runner = run(name, `only-${target}`);
  await runner.until(/shell (inject|kill)-/);
  const words = await vi.waitFor(
    async () => {
      const seen = await see(target);
      expect(seen, runner.said()).toBeDefined();
      return seen ?? '';
    },
    { timeout: 10_000, interval: 100 },
  );
  note(fault, 'seen from outside', words);
  return { runner, before, name, id: /run (\w{6}) of/.exec(runner.said())?.[1] ?? '' };
}

const secondsSince = (from: number): number => (performance.now() - from) / 1_000;

describe.skipIf(unavailable !== undefined).concurrent('before it has come back', () => {
  test.for(faults)('$fault and the runner is killed', { timeout: 120_000 }, async (one) => {
    const { fault, on, see } = one;
    const { runner, before, name, id } = await struck(one, on.killed);
    await secondRefused(fault, on.killed);
    const from = performance.now();
    runner.child.kill('SIGKILL');
    await vi.waitFor(async () => expect(await see(on.killed)).toBeUndefined(), { timeout: limitSeconds * 1_000, interval: 200 });
    const seconds = secondsSince(from);
    const recovered = await bed.chaos('recover', id, '--reports', name).finished;
    const again = await bed.chaos('recover', id, '--reports', name).finished;

    expect(recovered.code, recovered.out).toBe(7);
    expect(recovered.out).toContain('rollback   clean');
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('nothing was changed') });
    await expectClean(bed, on.killed);
    expect(await stateOf(on.killed)).toBe(before);
    note(fault, 'runner killed', `back after ${seconds.toFixed(1)} s`);
    note(fault, 'recover twice', 'clean, then nothing to do');
  });

  test.for(faults)('$fault and the link is cut', { timeout: 120_000 }, async (one) => {
    const { fault, on, see } = one;
    const { runner, before } = await struck(one, on.cut);
    await bed.cut(on.cut);
    await sleep(limitSeconds * 1_000);
    await bed.heal(on.cut);
    await bed.reachable(on.cut);
    const seen = await see(on.cut);
    const { code, out } = await runner.finished;

    expect(seen).toBeUndefined();
    expect(code, out).toBe(5);
    expect(out).toMatch(/rollback +clean/);
    await expectClean(bed, on.cut);
    expect(await stateOf(on.cut)).toBe(before);
    note(fault, 'link cut', 'back within lease + 5 s, clean');
  });

  test('host-reboot and the runner is killed', { timeout: 120_000 }, async () => {
    bed.experiment('once-h3', 'host-reboot', { host: 'h3' }, { how: 'hard', backWithin: '90s' }, 'none');
    const runner = run('once-h3', 'only-h3');
    await runner.until(/shell reboot-h3/);
    await bed.switchedOff('h3');
    const id = /run (\w{6}) of/.exec(runner.said())?.[1] ?? '';
    runner.child.kill('SIGKILL');
    await bed.powerOn('h3');
    const recovered = await bed.chaos('recover', id, '--reports', 'once-h3').finished;
    const again = await bed.chaos('recover', id, '--reports', 'once-h3').finished;

    expect(recovered.code, recovered.out).toBe(7);
    expect(recovered.out).toContain('rollback   clean');
    expect(recovered.out).toMatch(/h3: up for .+, restarted/);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('nothing was changed') });
    await expectClean(bed, 'h3');
    note('host-reboot', 'runner killed', 'back, clean');
    note('host-reboot', 'recover twice', 'clean, then nothing to do');
  });

  test('host-reboot is refused where another run has a fault', { timeout: 60_000 }, async () => {
    bed.experiment('holds-h5', 'process-pause', { host: 'h5' }, { match: '^/lib/systemd/systemd-logind$' }, '10s');
    bed.experiment('second-h5', 'host-reboot', { host: 'h5' }, {}, 'none');
    const holder = run('holds-h5', 'only-h5');
    await holder.until(/is in effect/);
    const second = await run('second-h5', 'also-h5').finished;
    const first = await holder.finished;

    expect(second.code, second.out).toBe(3);
    expect(second.out).toMatch(/h5: .*process-pause/);
    expect(first.code, first.out).toBe(0);
    await expectClean(bed, 'h5');
    note('host-reboot', 'twice at once', 'refused');
  });

  test('host-reboot and the link is cut', { timeout: 120_000 }, async () => {
    bed.experiment('once-h4', 'host-reboot', { host: 'h4' }, { how: 'hard', backWithin: '90s' }, 'none');
    const runner = run('once-h4', 'only-h4');
    await runner.until(/shell reboot-h4/);
    await bed.switchedOff('h4');
    const on = bed.powerOn('h4');
    await sleep(500);
    await bed.cut('h4');
    await sleep(limitSeconds * 1_000);
    await bed.heal('h4');
    await on;
    const { code, out } = await runner.finished;

    expect(code, out).toBe(0);
    expect(Number(/h4: restarted and can be logged in to (\d+)/.exec(out)?.[1])).toBeGreaterThanOrEqual(limitSeconds);
    expect(out).toMatch(/rollback +clean/);
    await expectClean(bed, 'h4');
    note('host-reboot', 'link cut', 'waited for, clean');
  });
});
