/**
 * Somebody restarts what a fault is on while it is in effect, or takes the fault away. The run has to say what it saw, and leaves what others
 * did as they left it.
 */
import { describe, expect, test } from 'vitest';
import { bladeAtWork, installBlade } from '../support/blade.ts';
import type { FaultCase } from './fault-cases.ts';
import { note } from './note.ts';
import { clockOff, folderFull, heldMemory, misled, paused, silent, succeeding, unresolved, unserved } from './seen.ts';
import { bed, useBed } from './testbed/bed.ts';
import { expectClean } from './testbed/clean.ts';
import { stateOf } from './watch.ts';

const unavailable = useBed({ uml: 2, ns: 9 });

interface Meddled extends FaultCase {
  /** What somebody does in the midst of it, and what the run says that it found at the end of its time; nothing: it is still in effect. */
  readonly meddle: string;
  readonly found?: RegExp;
  /** Takes back what somebody did, where that shows in the state of the host. */
  readonly tidy?: string;
}

const box = 'podman run -d --name box --network none --log-driver none --rootfs /srv/box /bin/busybox sleep 100000';
const demo = '^/usr/bin/perl /usr/local/bin/demo$';
const restartDemo = 'systemctl restart demo';

const cases: readonly Meddled[] = [
  {
    fault: 'container-pause',
    target: 'h1',
    parameters: { container: 'box' },
    first: box,
    see: () => paused('h1'),
    meddle: 'podman unpause box && podman restart -t 0 box',
    found: /container \w+ is running/,
  },
  {
    fault: 'clock-skew',
    target: 'h2',
    parameters: { offset: '-5m' },
    see: () => clockOff('h2', 295),
    meddle: 'systemctl start systemd-timesyncd',
  },
  {
    fault: 'service-stop',
    target: 'n1',
    parameters: { unit: 'demo' },
    see: () => unserved('n1'),
    meddle: 'systemctl start demo',
    found: /demo.service is active/,
  },
  {
    fault: 'process-pause',
    target: 'n2',
    parameters: { match: demo },
    see: () => unserved('n2'),
    meddle: 'systemctl kill -s KILL demo; until systemctl is-active -q demo; do sleep 0.1; done',
    found: /process \d+: state gone/,
  },
  {
    fault: 'network-partition',
    target: 'n3',
    parameters: { to: ['10.77.0.1'] },
    see: () => silent('n3'),
    meddle: restartDemo,
  },
  {
    fault: 'dns-failure',
    target: 'n4',
    parameters: {},
    see: () => unresolved('n4'),
    meddle: 'systemctl restart nftables && nft flush ruleset',
    found: /the rules are not there/,
  },
  {
    fault: 'dns-spoof',
    target: 'n5',
    parameters: { names: { 'shop.example': '10.0.0.9' } },
    see: () => misled('n5'),
    meddle: 'echo 10.0.0.8 other.example >>/etc/hosts',
    tidy: 'grep -q other.example /etc/hosts && sed -i /other.example/d /etc/hosts',
  },
  {
    fault: 'memory-pressure',
    target: 'n6',
    parameters: { size: '100MB' },
    see: () => heldMemory('n6', 95),
    meddle: 'pkill -x tail',
    found: /holds 0 MB of 100 MB/,
  },
  {
    fault: 'disk-fill',
    target: 'n7',
    parameters: { path: '/srv', size: '50MB' },
    see: () => folderFull('n7', '/srv', 50),
    meddle: restartDemo,
  },
  {
    fault: 'disk-fill (removed)',
    target: 'n8',
    parameters: { path: '/srv', size: '50MB' },
    see: () => folderFull('n8', '/srv', 50),
    meddle: 'rm /srv/chaos-*',
    found: /is not there/,
  },
  {
    fault: 'chaosblade',
    target: 'n9',
    parameters: { create: ['cpu', 'fullload'] },
    first: installBlade,
    see: () => succeeding('n9', bladeAtWork, 'its program runs'),
    meddle: '/opt/chaosblade/blade destroy "$(ls /opt/chaosblade/blade.d/records)"',
    found: /blade status: Destroyed/,
  },
];

const lapsed = 'was not in effect to the end of its time';

describe.skipIf(unavailable !== undefined).concurrent('in the midst of', () => {
  test.for(cases)('$fault on $target', { timeout: 120_000 }, async (one) => {
    const { fault, target, parameters, first = 'true', meddle, found, tidy = 'true', see } = one;
    expect(await bed.ssh(target, first)).toMatchObject({ code: 0 });
    const before = await stateOf(target);
    bed.experiment(`meddled-${target}`, fault.replace(/ .*/, ''), { host: target }, parameters, '10s');
    const runner = bed.chaos('run', `meddled-${target}`, '--env', `only-${target}`, '--yes', '--reports', `meddled-${target}`);
    await runner.until(/is in effect/);
    const meddled = await bed.ssh(target, meddle);
    const { code, out } = await runner.finished;

    expect(meddled.code, meddled.out).toBe(0);
    expect(code, out).toBe(0);
    expect(out).toMatch(/rollback +clean/);
    if (found === undefined) expect(out).not.toContain(lapsed);
    else
      expect(
        out.split('\n').find((line) => line.includes(lapsed)),
        out,
      ).toMatch(found);
    expect(await see()).toBeUndefined();
    await expectClean(bed, target);
    expect((await bed.ssh(target, tidy)).code).toBe(0);
    expect(await stateOf(target)).toBe(before);
    note(fault, 'target restarted meanwhile', found === undefined ? 'in effect, clean' : 'no longer in effect, clean');
  });
});
