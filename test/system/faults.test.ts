/**
 * Faults on real hosts: measured from outside while they are there, and gone afterwards; then the same with the runner killed. What a cut link
 * does to them is in link-cut.test.ts, for all at once.
 */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { startBox } from './boxes.ts';
import type { FaultCase } from './fault-cases.ts';
import { note } from './note.ts';
import { busy, clockOff, diskBusy, diskUsed, memoryUsed, misled, paused, rtt, silent, unresolved, unserved } from './seen.ts';
import { bed, useBed } from './testbed/bed.ts';
import { expectClean } from './testbed/clean.ts';

const unavailable = useBed({ uml: 2, ns: 2 });

const gateway = { to: ['10.77.0.1'] };
const cases: readonly FaultCase[] = [
  {
    fault: 'container-pause',
    target: 'h1',
    parameters: { container: 'box' },
    first: startBox('podman', 'box'),
    see: () => paused('h1'),
  },
  { fault: 'clock-skew', target: 'h2', parameters: { offset: '-5m' }, see: () => clockOff('h2', 295) },
  { fault: 'disk-io', target: 'h1', parameters: { path: '/data', size: '4MB' }, see: () => diskBusy('h1', 1_000) },
  { fault: 'dns-failure', target: 'n1', parameters: {}, see: () => unresolved('n1') },
  { fault: 'dns-spoof', target: 'n2', parameters: { names: { 'shop.example': '10.0.0.9' } }, see: () => misled('n2') },
  { fault: 'service-stop', target: 'n2', parameters: { unit: 'demo' }, see: () => unserved('n2') },
  { fault: 'process-pause', target: 'h2', parameters: { match: '^/usr/bin/perl /usr/local/bin/demo$' }, see: () => unserved('h2') },
  // A process of this kernel cannot have more than 256 MB: each page takes one of the 65530 mappings the machine below allows.
  { fault: 'memory-pressure', target: 'h1', parameters: { percent: 50 }, see: () => memoryUsed('h1', 45) },
  { fault: 'disk-fill', target: 'h2', parameters: { path: '/data', percent: 95 }, see: () => diskUsed('h2', 93) },
  { fault: 'network-delay', target: 'h1', parameters: { ...gateway, time: '100ms' }, see: () => rtt('h1', 95, 115) },
  { fault: 'network-delay (in)', target: 'h2', parameters: { ...gateway, time: '40ms', direction: 'in' }, see: () => rtt('h2', 36, 52) },
  { fault: 'network-loss', target: 'h1', parameters: { ...gateway, percent: 100 }, see: () => silent('h1') },
  { fault: 'network-partition', target: 'n1', parameters: gateway, see: () => silent('n1') },
  {
    fault: 'network-partition (reject)',
    target: 'n2',
    parameters: { ...gateway, protocol: 'icmp', how: 'reject', direction: 'in' },
    see: () => silent('n2'),
  },
  { fault: 'cpu-saturation', target: 'h2', parameters: { percent: 80 }, see: () => busy('h2', 65) },
  {
    fault: 'container-pause',
    target: 'h2',
    parameters: { container: 'box' },
    // With a file that docker complains of before every answer.
    first: `${startBox('docker', 'box')}; mkdir /root/.docker; echo '{' >/root/.docker/config.json`,
    see: () => paused('h2', 'docker'),
  },
];

/** Seconds until nothing of the fault is seen any more. */
async function goneAfter(see: FaultCase['see'], limit: number): Promise<number> {
  const from = performance.now();
  await vi.waitFor(async () => expect(await see()).toBeUndefined(), { timeout: limit * 1_000, interval: 200 });
  return Math.round((performance.now() - from) / 100) / 10;
}

let serial = 0;
function experiment({ fault, target, parameters }: FaultCase, duration = '60s'): string {
  const name = `try-${++serial}`;
  bed.experiment(name, fault.replace(/ .*/, ''), { host: target }, parameters, duration);
  return name;
}

describe.skipIf(unavailable !== undefined).each(cases)('$fault on $target with $parameters', (one) => {
  const { target, see, first } = one;
  beforeAll(async () => {
    if (first !== undefined) expect(await bed.ssh(target, first)).toMatchObject({ code: 0 });
  });

  test('is seen from outside while it is held, and leaves nothing', { timeout: 90_000 }, async () => {
    const runner = bed.chaos('run', experiment(one, '5s'), '--env', 'bed', '--yes');
    await runner.until(/is in effect/);
    const seen = await see();
    const { code, out } = await runner.finished;

    expect(seen, out).toBeDefined();
    expect(code, out).toBe(0);
    expect(await see()).toBeUndefined();
    await expectClean(bed, target);
    note(one.fault, 'seen from outside', seen ?? '');
    note(one.fault, 'end of the run', 'clean');
  });

  test('reverts at once when the runner is killed, and recover finishes the record', { timeout: 90_000 }, async () => {
    const runner = bed.chaos('run', experiment(one), '--env', 'bed', '--yes');
    await runner.until(/is in effect/);
    const run = /run (\w{6}) of/.exec(runner.said())?.[1] ?? '';
    runner.child.kill('SIGKILL');
    const seconds = await goneAfter(see, 20);
    const recovered = await bed.chaos('recover', run).finished;

    expect(seconds).toBeLessThan(5);
    expect(recovered.code, recovered.out).toBe(7);
    expect(recovered.out).toContain('rollback   clean');
    await expectClean(bed, target);
    note(one.fault, 'runner killed', `not seen after ${seconds} s`);
  });
});
