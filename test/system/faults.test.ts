/**
 * Faults on real hosts: measured from outside while they are there, and gone afterwards; then the same with the runner killed, the link cut,
 * and both. The table at the end is what came out.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { bed, useBed } from './testbed/bed.ts';
import { expectClean } from './testbed/clean.ts';

const table: Record<string, string>[] = [];

const unavailable = useBed({ uml: 2, ns: 2 });
afterAll(() => {
  if (table.length > 0) console.table(table);
});

interface Case {
  readonly fault: string;
  readonly target: string;
  readonly parameters: object;
  /** Is it also tried with a cut link? Twenty seconds each; the fuse is the same for all. */
  readonly cut?: boolean;
  /** Sets the host up for it. */
  readonly first?: string;
  /** What is seen of it from outside, in words; `undefined` while there is nothing to see. */
  see(): Promise<string | undefined>;
}

const gateway = { to: ['10.77.0.1'] };
const rtt = async (target: string, low: number, high: number): Promise<string | undefined> => {
  const ms = await bed.ping(target);
  return ms !== undefined && ms > low && ms < high ? `ping ${ms} ms` : undefined;
};
const silent = async (target: string): Promise<string | undefined> =>
  (await bed.ping(target)) === undefined ? 'no answer to ping' : undefined;
const busy = async (target: string, least: number): Promise<string | undefined> => {
  const look = "awk '/^cpu / { print $2+$3+$4+$5+$6+$7+$8+$9, $5+$6 }' /proc/stat";
  const numbers = (await bed.ssh(target, `${look}; sleep 2; ${look}`)).out.split(/\s+/).map(Number);
  const [total0 = 0, idle0 = 0, total = 0, idle = 0] = numbers;
  const percent = Math.round(100 * (1 - (idle - idle0) / (total - total0)));
  return percent >= least ? `busy ${percent} %` : undefined;
};

const unserved = async (target: string): Promise<string | undefined> => ((await bed.serves(target)) ? undefined : 'no answer on port 8080');
const numberOf = async (target: string, command: string): Promise<number> => Number((await bed.ssh(target, command)).out.trim());
const memoryUsed = async (target: string, least: number): Promise<string | undefined> => {
  const percent = await numberOf(target, "awk '/^MemTotal/ { t = $2 } /^MemAvailable/ { print int(100 - $2 * 100 / t) }' /proc/meminfo");
  return percent >= least ? `${percent} % of the memory used` : undefined;
};
const diskUsed = async (target: string, least: number): Promise<string | undefined> => {
  const percent = await numberOf(target, "df -P /data | awk 'NR == 2 { print int($5) }'");
  return percent >= least ? `${percent} % of the disk used` : undefined;
};

/** kB that the disk under /data reads and writes in two seconds. */
const diskBusy = async (target: string, least: number): Promise<string | undefined> => {
  const look = 'awk \'$3 == "ubdb" { print int(($6 + $10) / 2) }\' /proc/diskstats';
  const [before = 0, after = 0] = (await bed.ssh(target, `${look}; sleep 2; ${look}`)).out.trim().split('\n').map(Number);
  return after - before >= least ? `${after - before} kB moved in 2 s` : undefined;
};
const resolved = async (target: string): Promise<string> =>
  (await bed.ssh(target, "timeout 10 getent ahostsv4 shop.example | awk 'NR == 1 { print $1 }'")).out.trim();
const unresolved = async (target: string): Promise<string | undefined> =>
  (await resolved(target)) === '' ? 'shop.example is unknown' : undefined;
const misled = async (target: string): Promise<string | undefined> =>
  (await resolved(target)) === '10.0.0.9' ? 'shop.example is 10.0.0.9' : undefined;
const clockOff = async (target: string, least: number): Promise<string | undefined> => {
  const seconds = Math.round((await numberOf(target, 'date +%s')) - Date.now() / 1_000);
  return Math.abs(seconds) >= least ? `the clock is ${seconds} s off` : undefined;
};

const paused = async (target: string): Promise<string | undefined> =>
  (await bed.ssh(target, "podman container inspect -f '{{.State.Status}}' box")).out.trim() === 'paused' ? 'paused' : undefined;

const cases: readonly Case[] = [
  {
    fault: 'container-pause',
    target: 'h1',
    parameters: { container: 'box' },
    first: 'podman run -d --name box --network none --log-driver none --rootfs /srv/box /bin/busybox sleep 100000',
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
  { fault: 'network-delay', target: 'h1', parameters: { ...gateway, time: '100ms' }, cut: true, see: () => rtt('h1', 95, 115) },
  { fault: 'network-delay', target: 'h2', parameters: { ...gateway, time: '40ms', direction: 'in' }, see: () => rtt('h2', 36, 52) },
  { fault: 'network-loss', target: 'h1', parameters: { ...gateway, percent: 100 }, see: () => silent('h1') },
  { fault: 'network-partition', target: 'n1', parameters: gateway, cut: true, see: () => silent('n1') },
  {
    fault: 'network-partition',
    target: 'n2',
    parameters: { ...gateway, protocol: 'icmp', how: 'reject', direction: 'in' },
    see: () => silent('n2'),
  },
  { fault: 'cpu-saturation', target: 'h2', parameters: { percent: 80 }, see: () => busy('h2', 65) },
];

/** Seconds until nothing of the fault is seen any more. */
async function goneAfter(see: Case['see'], limit: number): Promise<number> {
  const from = performance.now();
  await vi.waitFor(async () => expect(await see()).toBeUndefined(), { timeout: limit * 1_000, interval: 200 });
  return Math.round((performance.now() - from) / 100) / 10;
}

let serial = 0;
function experiment({ fault, target, parameters }: Case, duration = '60s'): string {
  const name = `try-${++serial}`;
  bed.experiment(name, fault, { host: target }, parameters, duration);
  return name;
}

describe.skipIf(unavailable !== undefined).each(cases)('$fault on $target with $parameters', (one) => {
  const { target, see, first, cut = false } = one;
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
    table.push({ fault: one.fault, target, 'end of the run': `${seen}; clean` });
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
    table.push({ fault: one.fault, target, 'runner killed': `gone after ${seconds} s (with the time of looking); recover clean` });
  });

  test.runIf(cut)('reverts within its lease when the link is cut, though the runner lives', { timeout: 120_000 }, async () => {
    const runner = bed.chaos('run', experiment(one), '--env', 'bed', '--yes');
    await runner.until(/is in effect/);
    await bed.cut(target);
    await sleep(20_000);
    await bed.heal(target);
    const { code, out } = await runner.finished;

    await expectClean(bed, target);
    expect(await see()).toBeUndefined();
    expect(code, out).toBe(5);
    table.push({ fault: one.fault, target, 'link cut 20 s': 'aborted, rolled back clean' });
  });

  test.runIf(cut)('reverts within its lease when the link is cut and the runner killed', { timeout: 120_000 }, async () => {
    const runner = bed.chaos('run', experiment(one), '--env', 'bed', '--yes');
    await runner.until(/is in effect/);
    const run = /run (\w{6}) of/.exec(runner.said())?.[1] ?? '';
    await bed.cut(target);
    runner.child.kill('SIGKILL');
    await sleep(20_000);
    await bed.heal(target);
    await bed.reachable(target);

    // Not a trace of recovery yet: the target did it alone.
    expect(await see()).toBeUndefined();
    expect((await bed.ssh(target, `cat /var/lib/chaos/${run}-s1.1/state /var/lib/chaos/${run}-s1.1/reason`)).out).toBe(
      'reverted\nno sign of life for 15 s\n',
    );
    expect((await bed.chaos('recover', run).finished).code).toBe(7);
    await expectClean(bed, target);
    table.push({ fault: one.fault, target, 'cut and killed': 'reverted alone within 20 s; recover clean' });
  });
});
