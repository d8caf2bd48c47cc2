/** `dns-failure` with a real name server and the real firewall, in a network of the test's own. */
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { dnsFailure } from '../../../src/faults/dns-failure/index.ts';
import { ConfinedHost, missingTools, unconfined } from '../../support/confined-host.ts';
import { FaultRun, runId } from '../../support/fault-run.ts';

/** Answers every question for an IPv4 address with 10.0.0.9, every other with nothing. */
const nameServer = `
const { createSocket } = require('node:dgram');
const sockets = ['udp4', 'udp6'].map((family) => createSocket(family).on('message', function (query, from) {
  const end = query.indexOf(0, 12) + 5;
  const isA = query.readUInt16BE(end - 4) === 1;
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2); header.writeUInt16BE(isA ? 1 : 0, 6); header.writeUInt32BE(0, 8);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 0, 0, 9]);
  this.send(Buffer.concat([header, query.subarray(12, end), ...(isA ? [answer] : [])]), from.port, from.address);
}));
sockets[0].bind(53, '192.0.2.53', () => sockets[1].bind({ port: 53, address: '2001:db8::53', ipv6Only: true }, () => console.log('ready')));
`;

const resolvConf = {
  v4: 'nameserver 192.0.2.53\noptions timeout:1 attempts:1\n',
  v6: 'nameserver 2001:db8::53\noptions timeout:1 attempts:1\n',
};
const hide = (...tools: string[]): Record<string, string> =>
  Object.fromEntries(tools.map((tool) => [`/usr/sbin/${tool}`, '#!/bin/sh\nexit 1\n']));

async function start(
  stubs: Record<string, string> = {},
  family: 'v4' | 'v6' = 'v4',
  nsswitch = 'hosts: files dns\n',
): Promise<ConfinedHost> {
  const place = await ConfinedHost.start({
    files: { '/etc/hosts': '127.0.0.1 localhost\n', '/etc/nsswitch.conf': nsswitch, '/etc/resolv.conf': resolvConf[family] },
    stubs,
    setUp: 'ip link set lo up; ip addr add 192.0.2.53/32 dev lo; ip -6 addr add 2001:db8::53/128 dev lo',
  });
  await place.serve(process.execPath, '-e', nameServer);
  return place;
}

function fail(place: ConfinedHost, parameters: JsonObject = {}): FaultRun {
  return new FaultRun(place.confine(dnsFailure), { hosts: [place.host], targets: ['web-1'], parameters });
}

const resolves = (place: ConfinedHost): boolean => place.sh('timeout 5 getent ahosts shop.example').code === 0;

/** The real rules of the kernel, without their counts. */
function rules(place: ConfinedHost, tool: 'nft' | 'iptables'): string {
  return place.sh(tool === 'nft' ? 'nft -s list ruleset' : 'iptables -S; ip6tables -S').out;
}

const skippedWith = (...tools: string[]): string | undefined => unconfined ?? missingTools('getent', 'ip', ...tools);
const skipped = { nft: skippedWith('nft'), iptables: skippedWith('iptables', 'ip6tables') };
for (const [tool, why] of Object.entries(skipped)) if (why !== undefined) console.warn(`skipped: dns-failure with ${tool}: ${why}`);

describe.each(['nft', 'iptables'] as const)('dns-failure with %s', (tool) => {
  /** The rules of a host before the fault, which must be there again. */
  const own = tool === 'nft' ? 'nft add table inet shop' : 'iptables -A OUTPUT -p udp --dport 99 -j DROP';
  const without = tool === 'nft' ? {} : hide('nft');

  test.skipIf(skipped[tool] !== undefined).each(['v4', 'v6'] as const)(
    'stops all lookups over IP%s and gives the firewall back, twice',
    async (family) => {
      using place = await start(without, family);
      place.sh(own);
      const before = rules(place, tool);
      await using run = fail(place, { lookup: 'shop.example' });
      expect(resolves(place)).toBe(true);

      await run.prepare();
      const looked = rules(place, tool);
      await run.inject();
      const effect = await run.verify();
      const during = resolves(place);
      await run.revert();
      const after = [rules(place, tool), resolves(place)];
      await run.revert();
      const check = await run.verifyReverted();

      expect(looked).toBe(before);
      expect(effect, JSON.stringify(effect)).toMatchObject({ effective: true });
      expect(effect.evidence[1]).toBe('web-1: shop.example cannot be resolved');
      expect(during).toBe(false);
      expect(after).toEqual([before, true]);
      expect(check, JSON.stringify(check)).toMatchObject({ clean: true });
    },
  );

  test.skipIf(skipped[tool] !== undefined)('lets lookups wait when answers are dropped', async () => {
    using place = await start(without);
    await using run = fail(place, { how: 'drop' });

    await run.prepare();
    await run.inject();
    const from = performance.now();
    const during = resolves(place);
    const waited = performance.now() - from;
    const effect = await run.verify();
    await run.revert();

    expect(during).toBe(false);
    expect(waited).toBeGreaterThan(900);
    expect(effect, JSON.stringify(effect)).toMatchObject({ effective: true });
    expect(await run.verifyReverted()).toMatchObject({ clean: true });
    expect(resolves(place)).toBe(true);
  });

  test.skipIf(skipped[tool] !== undefined)('sees rules that are still there, and lookups that somebody else let through', async () => {
    using place = await start(without);
    await using run = fail(place);

    await run.prepare();
    await run.inject();
    const left = await run.verifyReverted();
    place.sh(tool === 'nft' ? 'nft flush ruleset' : 'iptables -F OUTPUT; ip6tables -F OUTPUT');
    const effect = await run.verify();
    await run.revert();

    expect(left).toMatchObject({ clean: false });
    expect(effect).toMatchObject({ effective: false, evidence: ['web-1: the rules are not there'] });
    expect(await run.verifyReverted()).toMatchObject({ clean: true });
  });

  test.skipIf(skipped[tool] !== undefined)('undoes half an injection', async () => {
    using place = await start(without);
    await using run = fail(place);
    await run.prepare();
    const before = rules(place, tool);
    run.dieAt = 'inject-web-1';
    await expect(run.inject()).rejects.toThrow();
    place.sh(tool === 'nft' ? `nft add table inet chaos_${runId}_s1_1` : `iptables -N ${runId}-s1.1-dns`);
    await using successor = run.successor();

    await successor.revert();

    expect(await successor.verifyReverted()).toMatchObject({ clean: true });
    expect(rules(place, tool)).toBe(before);
  });
});

describe.skipIf(skipped.nft !== undefined)('dns-failure refuses', () => {
  test.each([
    ['a name that is not resolved even now', { lookup: 'shop.example' }, 'hosts: files\n', 'names are not looked up by DNS here'],
    ['a host without a firewall', {}, 'hosts: files dns\n', 'neither nft nor iptables works here'],
  ])('%s', async (_what, parameters, nsswitch, message) => {
    using place = await start(hide('nft', 'iptables'), 'v4', nsswitch);
    await using run = fail(place, parameters);

    await expect(run.prepare()).rejects.toThrow(message);
  });

  test('a lookup that cannot succeed', async () => {
    using place = await start();
    place.sh('ip link set lo down');
    await using run = fail(place, { lookup: 'shop.example' });

    await expect(run.prepare()).rejects.toThrow('shop.example cannot be resolved even now');
  });
});
