/** Targets on a bad day: a disk that cannot be written, a full process table, a shell that is none, names that look like commands. */
import { describe, expect, test, vi } from 'vitest';
import { bed, useBed } from './testbed/bed.ts';
import { expectClean } from './testbed/clean.ts';
import type { Finished } from './testbed/testbed.ts';

const unavailable = useBed({ uml: 1, ns: 1 });

const gateway = { to: ['10.77.0.1'] };
const leaseSeconds = 15;

function run(fault: string, host: string, parameters: object, duration = '3s'): Promise<Finished> {
  bed.experiment('bad-day', fault, { host }, parameters, duration);
  return bed.chaos('run', 'bad-day', '--env', 'bed', '--yes').finished;
}

describe.skipIf(unavailable !== undefined)('on a target', () => {
  test('with a read-only disk the fuse keeps to memory, and reverts when the runner is killed', { timeout: 60_000 }, async () => {
    const made = await bed.ssh('n1', 'mount -t tmpfs tmpfs /var/lib && mount -o remount,ro /var/lib; touch /var/lib/x');
    expect(made.code).not.toBe(0);
    bed.experiment('read-only', 'network-partition', { host: 'n1' }, gateway, '60s');
    const runner = bed.chaos('run', 'read-only', '--env', 'bed', '--yes');
    await runner.until(/is in effect/);
    const id = /run (\w{6}) of/.exec(runner.said())?.[1] ?? '';
    const during = await bed.ping('n1');
    runner.child.kill('SIGKILL');

    await vi.waitFor(async () => expect(await bed.ping('n1')).toBeDefined(), { timeout: 5_000, interval: 200 });
    expect(during).toBeUndefined();
    expect((await bed.chaos('recover', id).finished).out).toContain('rollback   clean');
    await expectClean(bed, 'n1');
    await bed.ssh('n1', 'umount /var/lib');
  });

  test('with no place to write at all nothing is injected, and the reason is told', { timeout: 60_000 }, async () => {
    await bed.ssh('n1', 'for d in /var/lib /run/chaos; do mkdir -p $d; mount -t tmpfs tmpfs $d; mount -o remount,ro $d; done');
    const { code, out } = await run('network-partition', 'n1', gateway);
    await bed.ssh('n1', 'umount /var/lib /run/chaos; rmdir /run/chaos');

    expect([5, 7], out).toContain(code);
    expect(out).not.toContain('shell inject-');
    expect(out).toContain('no place to write for the fuse');
    await expectClean(bed, 'n1');
  });

  test('where nothing may be executed from its disks it works all the same', { timeout: 60_000 }, async () => {
    const made = await bed.ssh('n1', 'for d in /tmp /var/lib; do mount -t tmpfs -o noexec tmpfs $d; done; cp /bin/true /tmp/; /tmp/true');
    expect(made.code).not.toBe(0);

    const { code, out } = await run('network-partition', 'n1', gateway);
    await expectClean(bed, 'n1');
    await bed.ssh('n1', 'umount /tmp /var/lib');

    expect(code, out).toBe(0);
  });

  test('whose process table is full the fuse still reverts within its lease', { timeout: 120_000 }, async () => {
    bed.experiment('full', 'network-delay', { host: 'h1' }, { ...gateway, time: '100ms' }, '60s');
    const runner = bed.chaos('run', 'full', '--env', 'bed', '--yes');
    await runner.until(/is in effect/);
    const id = /run (\w{6}) of/.exec(runner.said())?.[1] ?? '';
    const fill = 'i=0; while [ $i -lt 700 ]; do sleep 90 </dev/null >/dev/null 2>&1 & i=$((i + 1)); done';
    const filled = await bed.ssh('h1', `echo 500 >/proc/sys/kernel/pid_max; { ${fill}; } 2>&1 | tail -n 1`);
    expect(filled.out).toMatch(/[Rr]esource temporarily unavailable|[Cc]annot fork/);

    const killed = performance.now();
    runner.child.kill('SIGKILL');
    await vi.waitFor(async () => expect(await bed.ping('h1')).toBeLessThan(50), { timeout: 40_000, interval: 200 });
    const seconds = (performance.now() - killed) / 1_000;

    // A ping takes a second to look.
    expect(seconds).toBeLessThan(leaseSeconds + 2 + 1.5);
    await bed.ssh('h1', 'echo 32768 >/proc/sys/kernel/pid_max; pkill sleep');
    expect((await bed.chaos('recover', id).finished).out).toContain('rollback   clean');
    await expectClean(bed, 'h1');
    process.stdout.write(`full process table, runner killed: reverted after ${seconds.toFixed(1)} s\n`);
  });

  test('a shell that is no POSIX shell is told by doctor, and nothing is injected through it', { timeout: 60_000 }, async () => {
    await bed.ssh(
      'n1',
      "printf '#!/usr/bin/perl\\nprint qq(what?\\\\n); exit 1;\\n' >/usr/local/bin/odd; chmod +x /usr/local/bin/odd; usermod -s /usr/local/bin/odd ops",
    );
    const doctor = await bed.chaos('doctor', '--env', 'sudo', '--json').finished;
    bed.experiment('odd', 'process-pause', { host: 'n1' }, { match: '^/usr/bin/perl /usr/local/bin/demo$' }, '3s');
    const { code, out } = await bed.chaos('run', 'odd', '--env', 'sudo', '--yes').finished;
    await bed.ssh('n1', 'usermod -s /bin/sh ops');

    const { hosts } = JSON.parse(doctor.out) as { hosts: { host: string; problems: string[] }[] };
    expect(hosts.find(({ host }) => host === 'n1')?.problems).toHaveLength(1);
    expect(code, out).not.toBe(0);
    expect(out).not.toContain('shell inject-');
    await expectClean(bed, 'n1');
  });

  test.each([
    ['process-pause', { match: "^/usr/bin/perl '; touch /pwned; '$" }],
    ['disk-fill', { path: '/srv/$(touch /pwned)`touch /pwned`\'"; touch /pwned #', size: '1MB' }],
    ['disk-io', { path: '/srv/\\"; touch /pwned; \\"ünïcödé 名前', size: '1MB' }],
    ['process-kill', { pidFile: '/run/$(touch /pwned);touch /pwned' }],
  ])('%s takes names that look like commands for names', { timeout: 60_000 }, async (fault, parameters) => {
    const { code, out } = await run(fault, 'n1', parameters, fault === 'process-kill' ? 'none' : '3s');

    expect(code, out).toBe(3);
    expect((await bed.ssh('n1', 'ls /pwned')).code).not.toBe(0);
    await expectClean(bed, 'n1');
  });
});
