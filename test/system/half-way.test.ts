/**
 * An injection that dies half-way on the second of three hosts: a tool that it calls does what it was asked for and then ends the injection. What
 * was done there, processes that it left included, and all of it on the other two, has to be undone.
 */
import { describe, expect, test } from 'vitest';
import { bladeAtWork, installBlade } from '../support/blade.ts';
import { note } from './note.ts';
import { bed, useBed } from './testbed/bed.ts';
import { expectClean } from './testbed/clean.ts';
import { stateOf } from './watch.ts';

const unavailable = useBed({ uml: 3, ns: 3 });

const gateway = { to: ['10.77.0.1'] };

interface Case {
  readonly fault: string;
  readonly group: 'uml' | 'ns';
  /** What the injection calls. */
  readonly tool: string;
  /** Which of its calls is the last. Default: the first. */
  readonly call?: number;
  /** What ends it. Default: its main process is killed, and whatever it has started goes on. */
  readonly end?: string;
  readonly parameters: object;
  /** Sets all three up for it. */
  readonly first?: string;
  /** Prints what else has to be as before. */
  readonly look?: string;
  /** Another trap on the second, its removal, and what the run says of it. */
  readonly trap?: { readonly set: string; readonly lift: string; readonly said: string };
}

const kill = 'read -r pid rest <"$CHAOS_RUN_DIR/injected"; kill -KILL "$pid"';
const box =
  'podman container exists box || podman run -d --name box --network none --log-driver none --rootfs /srv/box /bin/busybox sleep 100000';

const cases: readonly Case[] = [
  { fault: 'network-delay', group: 'uml', tool: 'tc', parameters: { ...gateway, time: '100ms' } },
  { fault: 'network-loss', group: 'uml', tool: 'tc', call: 5, parameters: { ...gateway, percent: 50, direction: 'both' } },
  { fault: 'network-bandwidth', group: 'uml', tool: 'ip', parameters: { ...gateway, rate: '1mbit', direction: 'in' } },
  { fault: 'clock-skew', group: 'uml', tool: 'date', parameters: { offset: '-5m' } },
  { fault: 'disk-io', group: 'uml', tool: 'sleep', parameters: { path: '/data', size: '4MB' } },
  {
    fault: 'container-pause',
    group: 'uml',
    tool: 'podman',
    parameters: { container: 'box' },
    first: box,
    look: "podman container inspect -f '{{.State.Status}}' box",
  },
  { fault: 'network-partition', group: 'ns', tool: 'nft', parameters: gateway },
  { fault: 'dns-failure', group: 'ns', tool: 'nft', parameters: {} },
  { fault: 'service-stop', group: 'ns', tool: 'systemctl', parameters: { unit: 'demo' } },
  {
    fault: 'command',
    group: 'ns',
    tool: 'mkdir',
    parameters: { inject: 'mkdir half; touch half/way', verify: '[ -e half/way ]', revert: 'rm -rf half' },
  },
  { fault: 'memory-pressure', group: 'ns', tool: 'sleep', parameters: { size: '100MB' } },
  { fault: 'cpu-saturation', group: 'ns', tool: 'sleep', parameters: { percent: 20 } },
  { fault: 'disk-fill', group: 'ns', tool: 'fallocate', parameters: { path: '/srv', size: '50MB' } },
  {
    // Both are looked at once more before the first of them is paused.
    fault: 'process-pause',
    group: 'ns',
    tool: 'cut',
    call: 4,
    end: 'systemctl kill -s KILL other; while systemctl is-active -q other; do sleep 0.05; done',
    parameters: { match: '^/usr/bin/sleep 7001$', count: 2 },
    first: 'for unit in one other; do systemctl is-active -q $unit || systemd-run -q --unit $unit sleep 7001; sleep 0.1; done',
    look: 'ps -o stat= -C sleep | grep T; systemctl is-active one',
  },
  {
    fault: 'chaosblade',
    group: 'ns',
    tool: 'blade',
    parameters: { create: ['cpu', 'fullload'] },
    first: installBlade.replaceAll('/opt/chaosblade/blade', '/usr/bin/blade'),
    look: bladeAtWork.replace(/ >.*/, ''),
  },
  {
    fault: 'dns-spoof',
    group: 'ns',
    tool: 'printf',
    parameters: { names: { 'shop.example': '10.0.0.9' } },
    // There is room for 20 bytes: the lines are cut short.
    trap: {
      set: `mount -t tmpfs -o size=4k tmpfs /mnt && cp -p /etc/hosts /mnt/hosts && size=$(stat -c %s /mnt/hosts) &&
printf '#%*s\\n' $((4096 - 20 - 2 - size)) x >>/mnt/hosts && mount --bind /mnt/hosts /etc/hosts`,
      lift: 'umount /etc/hosts && umount /mnt',
      said: 'printf: I/O error',
    },
  },
  {
    // Last: without nft for its rules.
    fault: 'network-partition (iptables)',
    group: 'ns',
    tool: 'iptables',
    call: 2,
    parameters: gateway,
    first: `for t in iptables ip6tables; do for c in INPUT FORWARD OUTPUT; do $t -P $c ACCEPT; done; done
printf '#!/bin/sh\\n[ "$1" != add ] && exec /usr/sbin/nft "$@"\\n' >/usr/local/sbin/nft && chmod +x /usr/local/sbin/nft`,
    look: 'iptables -S; ip6tables -S',
  },
];

/** Only within an injection is CHAOS_FAULT set: the look, the undo and everybody else get the tool as it is. */
const trapAt = ({ tool, call = 1, end = kill }: Case): NonNullable<Case['trap']> => ({
  set: `at=/usr/local/bin/${tool}; rm -f /run/calls $at; real=$(command -v ${tool}) && sed "s|REAL|$real|" >$at <<'X' && chmod +x $at
#!/bin/sh
REAL "$@"; code=$?
if [ -n "\${CHAOS_FAULT:-}" ]; then
  echo >>/run/calls
  if [ "$(wc -l </run/calls)" -eq ${call} ]; then touch /run/half-way; { ${end}; } >/dev/null 2>&1; fi
fi
exit $code
X`,
  lift: `rm /run/half-way; code=$?; rm -f /usr/local/bin/${tool}; exit $code`,
  said: 'injecting failed with exit code',
});

async function diesHalfWay(one: Case): Promise<void> {
  const { fault, group, parameters, first = 'true', look = 'true', trap = trapAt(one) } = one;
  const hosts = bed.hosts.filter(({ kind }) => kind === group).map(({ name }) => name);
  const second = hosts[1] ?? '';
  const state = (): Promise<string[]> => Promise.all(hosts.map(async (host) => (await stateOf(host)) + (await bed.ssh(host, look)).out));
  for (const host of hosts) expect(await bed.ssh(host, first)).toMatchObject({ code: 0 });
  expect(await bed.ssh(second, trap.set)).toMatchObject({ code: 0 });
  const before = await state();
  const [kind = fault] = fault.split(' ');
  bed.experiment(`half-${kind}`, kind, { group }, parameters, '30s', '2s');

  const { code, out } = await bed.chaos('run', `half-${kind}`, '--env', `only-${group}`, '--yes').finished;
  const after = await state();
  const lifted = await bed.ssh(second, trap.lift);

  expect(lifted.code, out).toBe(0);
  expect(code, out).toBe(5);
  expect(out).toContain(trap.said);
  expect(out).toMatch(/because .*inject/);
  expect(out).toContain('rollback   clean');
  expect(after).toEqual(before);
  for (const host of hosts) await expectClean(bed, host);
  note(fault, 'half-way on the second of three', 'all as before');
}

describe.skipIf(unavailable !== undefined).concurrent.each(['uml', 'ns'] as const)('on three %s hosts', (kind) => {
  test.sequential.for(cases.filter(({ group }) => group === kind))(
    '$fault undoes all when it dies at a $tool on the second',
    { timeout: 150_000 },
    diesHalfWay,
  );
});
