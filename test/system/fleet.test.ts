/** What concerns a whole environment: finding what dead runners left, who is ready, how hosts are reached, how faults become root. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { bed, useBed } from './testbed/bed.ts';
import { expectClean } from './testbed/clean.ts';

const unavailable = useBed({ uml: 1, ns: 2 });

const gateway = { to: ['10.77.0.1'] };

describe.skipIf(unavailable !== undefined)('a sweep', () => {
  test('finds what a dead runner left on hosts that nobody has a journal for, and leaves a living run alone', {
    timeout: 120_000,
  }, async () => {
    bed.experiment('living', 'network-partition', { host: 'n1' }, gateway, '25s');
    bed.experiment('dying', 'cpu-saturation', { host: 'h1' }, { percent: 50 });
    const living = bed.chaos('run', 'living', '--env', 'bed', '--yes', '--reports', 'elsewhere');
    await living.until(/is in effect/);
    const dying = bed.chaos('run', 'dying', '--env', 'sudo', '--yes');
    await dying.until(/is in effect/);
    dying.child.kill('SIGKILL');
    await sleep(2_000);

    const swept = await bed.chaos('recover', '--sweep', '--env', 'bed').finished;
    const ended = await living.finished;
    const again = await bed.chaos('recover', '--sweep', '--env', 'bed').finished;
    const recorded = await bed.chaos('recover').finished;

    expect(swept, swept.out).toMatchObject({ code: 0 });
    expect(swept.out).toMatch(/h1 {2}cpu-saturation of run \w{6} \(reverted.*checked and removed/);
    expect(swept.out).toMatch(/n1 {2}network-partition of run \w{6} \(injected.*left alone, its runner is alive/);
    expect(ended.code, ended.out).toBe(0);
    expect(again.out).toContain('3 of 3 hosts asked, 0 reverted and removed, 0 left to their runners, 0 failed');
    // The journal is finished afterwards all the same: there is nothing left to undo.
    expect(recorded, recorded.out).toMatchObject({ code: 7 });
    await expectClean(bed, 'h1');
  });
});

test.skipIf(unavailable !== undefined)(
  'a host behind a jump host of the SSH configuration is reached, injected and reverted',
  { timeout: 90_000 },
  async () => {
    bed.experiment('jump', 'network-delay', { group: 'uml' }, { ...gateway, time: '100ms' }, '5s');
    const runner = bed.chaos('run', 'jump', '--env', 'jump', '--yes');
    await runner.until(/is in effect/);
    const during = await bed.ping('h1');
    const { code, out } = await runner.finished;

    expect(code, out).toBe(0);
    expect(during).toBeGreaterThan(95);
    expect(during).toBeLessThan(115);
    await expectClean(bed, 'h1');
  },
);

describe.skipIf(unavailable !== undefined)('chaos doctor', () => {
  test('tells what each host is ready for, and what is in the way of one that is not', { timeout: 60_000 }, async () => {
    const bedside = await bed.chaos('doctor', '--env', 'bed').finished;
    const guest = await bed.chaos('doctor', '--env', 'nosudo').finished;
    await bed.cut('n2');
    const cut = await bed.chaos('doctor', '--env', 'bed', '--json').finished;
    await bed.heal('n2');

    expect(bedside, bedside.out).toMatchObject({ code: 0 });
    expect(bedside.out).toMatch(/^h1 .* systemd +yes .* stress-ng +all but \d/m);
    expect(bedside.out).toMatch(/^nft or iptables: not on h1 .*network-partition/ms);
    expect(bedside.out).toMatch(/^sch_netem: not on n1, n2 .*unknown/ms);
    expect(guest.code, guest.out).toBe(3);
    expect(guest.out).toContain('NOPASSWD');
    const { hosts } = JSON.parse(cut.out) as { hosts: { host: string; connected: boolean; problems: string[] }[] };
    expect(cut.code).toBe(3);
    expect(hosts.map(({ connected }) => connected)).toEqual([true, true, false]);
    expect(hosts[2]?.problems.join()).toContain('n2');
  });
});

describe.skipIf(unavailable !== undefined)('becoming root', () => {
  test('works through sudo without a password, and the fault is as root’s', { timeout: 60_000 }, async () => {
    bed.experiment('by-sudo', 'network-partition', { host: 'n1' }, gateway, '3s');
    const { code, out } = await bed.chaos('run', 'by-sudo', '--env', 'sudo', '--yes').finished;

    expect(code, out).toBe(0);
    await expectClean(bed, 'n1');
  });

  test('is refused with the remedy where sudo wants a password, and nothing is injected', { timeout: 60_000 }, async () => {
    bed.experiment('no-sudo', 'network-partition', { host: 'n1' }, gateway, '3s');
    const { code, out } = await bed.chaos('run', 'no-sudo', '--env', 'nosudo', '--yes').finished;

    expect(code, out).toBe(3);
    expect(out).toContain('NOPASSWD');
    await expectClean(bed, 'n1');
  });
});

describe.skipIf(unavailable !== undefined)('several at once', () => {
  test('a second run on a host that has a fault already is refused, and the first goes on', { timeout: 60_000 }, async () => {
    bed.experiment('first', 'network-partition', { host: 'n1' }, gateway, '10s');
    bed.experiment('second', 'memory-pressure', { host: 'n1' }, { size: '10MB' }, '3s');
    const first = bed.chaos('run', 'first', '--env', 'bed', '--yes', '--reports', 'elsewhere');
    await first.until(/is in effect/);
    // Another environment file with the same hosts: only the host itself can know.
    const second = await bed.chaos('run', 'second', '--env', 'sudo', '--yes').finished;
    const { code, out } = await first.finished;

    expect(second.code, second.out).toBe(3);
    expect(second.out).toMatch(/n1: .*network-partition/);
    expect(code, out).toBe(0);
    await expectClean(bed, 'n1');
  });

  test('an injection that is killed half-way on one of three hosts undoes all of them', { timeout: 90_000 }, async () => {
    bed.experiment('half', 'disk-fill', { group: 'all' }, { path: '/srv', size: '200MB', how: 'write' }, '30s');
    const killed = bed.ssh('n1', 'until pkill -9 -f of=/proc/self/fd/[3]; do sleep 0.01; done; echo killed');
    const { code, out } = await bed.chaos('run', 'half', '--env', 'bed', '--yes').finished;

    expect((await killed).out).toBe('killed\n');
    expect(code, out).toBe(5);
    expect(out).toContain('rollback   clean');
    for (const host of ['h1', 'n1', 'n2']) await expectClean(bed, host);
  });

  test('a host that cannot be prepared keeps all others from being touched', { timeout: 60_000 }, async () => {
    bed.experiment('one-cannot', 'network-delay', { group: 'all', exclude: ['n2'] }, { ...gateway, time: '100ms' }, '5s');
    const { code, out } = await bed.chaos('run', 'one-cannot', '--env', 'bed', '--yes').finished;

    expect(code, out).toBe(3);
    expect(out).toContain('this kernel has no sch_netem');
    expect(out).not.toContain('shell inject-');
    await expectClean(bed, 'h1');
  });
});
