/**
 * An injection that dies half-way on the second of three hosts: its tool does what it was asked for and then ends the whole injection. What was
 * done there, and all of it on the other two, has to be undone.
 */
import { afterAll, describe, expect, test } from 'vitest';
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
  readonly parameters: object;
}

const cases: readonly Case[] = [
  { fault: 'network-delay', group: 'uml', tool: 'tc', parameters: { ...gateway, time: '100ms' } },
  { fault: 'clock-skew', group: 'uml', tool: 'date', parameters: { offset: '-5m' } },
  { fault: 'network-partition', group: 'ns', tool: 'nft', parameters: gateway },
  { fault: 'dns-failure', group: 'ns', tool: 'nft', parameters: {} },
  { fault: 'service-stop', group: 'ns', tool: 'systemctl', parameters: { unit: 'demo' } },
  {
    fault: 'command',
    group: 'ns',
    tool: 'mkdir',
    parameters: { inject: 'mkdir half; touch half/way', verify: '[ -e half/way ]', revert: 'rm -rf half' },
  },
];

/** Only within an injection is CHAOS_FAULT set: the look, the undo and everybody else get the tool as it is. */
const wrap = (tool: string): string => `real=$(command -v ${tool})
printf '#!/bin/sh\\n%s "$@"; code=$?\\n[ -z "\${CHAOS_FAULT:-}" ] || { touch /run/half-way; kill -KILL 0; }\\nexit $code\\n' "$real" >/usr/local/bin/${tool}
chmod +x /usr/local/bin/${tool}`;

const table: Record<string, string>[] = [];
afterAll(() => {
  if (table.length > 0) console.table(table);
});

describe.skipIf(unavailable !== undefined).each(cases)('$fault', ({ fault, group, tool, parameters }) => {
  test(`undoes all three when it is killed after its first ${tool} on the second`, { timeout: 90_000 }, async () => {
    const hosts = bed.hosts.filter(({ kind }) => kind === group).map(({ name }) => name);
    const second = hosts[1] ?? '';
    const before = await Promise.all(hosts.map(stateOf));
    await bed.ssh(second, wrap(tool));
    bed.experiment(`half-${fault}`, fault, { group }, parameters, '30s');

    const { code, out } = await bed.chaos('run', `half-${fault}`, '--env', 'bed', '--yes').finished;
    const reached = await bed.ssh(second, `rm /run/half-way; code=$?; rm -f /usr/local/bin/${tool}; exit $code`);

    expect(reached.code, out).toBe(0);
    expect(code, out).toBe(5);
    expect(out).toContain('rollback   clean');
    for (const host of hosts) await expectClean(bed, host);
    expect(await Promise.all(hosts.map(stateOf))).toEqual(before);
    table.push({ fault, 'killed half-way on the second of three': 'all three undone, as before' });
  });
});
