/** `dns-spoof` on an /etc/hosts of the test's own, with the real resolver of this machine's C library. */
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { dnsSpoof } from '../../../src/faults/dns-spoof/index.ts';
import { ConfinedHost, missingTools, unconfined } from '../../support/confined-host.ts';
import { FaultRun, runId } from '../../support/fault-run.ts';

const skipped = unconfined ?? missingTools('getent');
if (skipped !== undefined) console.warn(`skipped: dns-spoof: ${skipped}`);

const before = '127.0.0.1 localhost\n10.1.1.1 \tcache.shop.example cache # kept\n';
const names = { 'db.shop.example': '10.0.0.9', 'Api.shop.example': ['10.0.0.7', '10.0.0.8'] };

async function start(hosts = before, nsswitch = 'hosts: files dns\n'): Promise<ConfinedHost> {
  return ConfinedHost.start({
    files: { '/etc/hosts': hosts, '/etc/nsswitch.conf': nsswitch, '/etc/resolv.conf': 'nameserver 127.0.0.1\n' },
  });
}

function spoof(place: ConfinedHost, parameters: JsonObject = { names }): FaultRun {
  return new FaultRun(place.confine(dnsSpoof), { hosts: [place.host], targets: ['web-1'], parameters });
}

/** The file behind the bind mount. */
const fileOf = (place: ConfinedHost): string => join(place.home, '+etc+hosts');
const hostsOf = (place: ConfinedHost): string => readFileSync(fileOf(place), 'utf8');
const addresses = (place: ConfinedHost, name: string): string[] =>
  [
    ...new Set(
      place
        .sh(`getent ahosts ${name}`)
        .out.split('\n')
        .map((line) => line.split(' ')[0] ?? ''),
    ),
  ].filter(Boolean);

describe.skipIf(skipped !== undefined)('dns-spoof', () => {
  test.each([
    ['a file that ends in a line end', before],
    ['a file whose last line is not ended', before.slice(0, -1)],
    ['an empty file', ''],
  ])('leads names astray and restores %s byte for byte, twice', async (_what, hosts) => {
    using place = await start(hosts);
    await using run = spoof(place);
    const stat = statSync(fileOf(place));

    await run.prepare();
    await run.inject();
    const effect = await run.verify();
    const [api, db, cache] = ['api.shop.example', 'db.shop.example', 'cache'].map((name) => addresses(place, name));
    await run.revert();
    const restored = hostsOf(place);
    await run.revert();
    const check = await run.verifyReverted();

    expect(effect, JSON.stringify(effect)).toMatchObject({ effective: true });
    expect(api?.toSorted()).toEqual(['10.0.0.7', '10.0.0.8']);
    expect(db).toEqual(['10.0.0.9']);
    expect(cache).toEqual(hosts === '' ? [] : ['10.1.1.1']);
    expect(restored).toBe(hosts);
    expect(check).toEqual({ clean: true, evidence: ['web-1: /etc/hosts is as it was, byte for byte'], findings: [] });
    expect(statSync(fileOf(place))).toMatchObject({ ino: stat.ino, mode: stat.mode, uid: stat.uid });
  });

  test('takes an IPv6 address in any spelling', async () => {
    using place = await start();
    await using run = spoof(place, { names: { 'db.shop.example': '0:0::0001' } });

    await run.prepare();
    await run.inject();

    expect(await run.verify()).toMatchObject({ effective: true, evidence: ['web-1: db.shop.example is resolved to ::1'] });
    await run.revert();
    expect(hostsOf(place)).toBe(before);
  });

  test('takes only its own lines out when somebody else changed the file meanwhile', async () => {
    using place = await start();
    await using run = spoof(place);

    await run.prepare();
    await run.inject();
    const changed = `10.2.2.2 first\n${hostsOf(place)}10.3.3.3 last`;
    writeFileSync(fileOf(place), changed);
    await run.revert();
    const check = await run.verifyReverted();

    expect(hostsOf(place)).toBe(`10.2.2.2 first\n${before}10.3.3.3 last`);
    expect(check).toMatchObject({
      clean: true,
      evidence: ['web-1: /etc/hosts has no line of the fault; somebody else changed it meanwhile'],
    });
  });

  test('cuts off what was written half before the injection died', async () => {
    using place = await start();
    await using run = spoof(place);
    await run.prepare();
    run.dieAt = 'inject-web-1';
    await expect(run.inject()).rejects.toThrow();
    appendFileSync(fileOf(place), `# begin chaos-${runId}-s1.1\n10.0.0.9 db.shop`);
    await using successor = run.successor();

    await successor.revert();

    expect(await successor.verifyReverted()).toMatchObject({ clean: true });
    expect(hostsOf(place)).toBe(before);
  });

  test('injects nothing into a file that was changed since it was looked at, and leaves the change', async () => {
    using place = await start();
    await using run = spoof(place);

    await run.prepare();
    appendFileSync(fileOf(place), '10.4.4.4 new\n');
    await expect(run.inject()).rejects.toThrow();
    await run.revert();

    expect(await run.verifyReverted()).toMatchObject({ clean: true });
    expect(hostsOf(place)).toBe(`${before}10.4.4.4 new\n`);
  });

  test('sees its lines when they are still there', async () => {
    using place = await start();
    await using run = spoof(place);

    await run.prepare();
    await run.inject();

    expect(await run.verifyReverted()).toMatchObject({ clean: false, evidence: ['web-1: 5 lines of the fault are in /etc/hosts'] });
    await run.revert();
  });

  test.each([
    [
      'a name that stands in the file',
      { names: { 'CACHE.shop.example': '10.0.0.1' } },
      before,
      'hosts: files dns\n',
      'stands in /etc/hosts',
    ],
    ['a host that does not read the file', { names }, before, 'hosts: dns\n', '/etc/hosts is not read here'],
    ['a host that asks name servers first', { names }, before, 'hosts: dns files\n', 'before /etc/hosts'],
  ])('refuses %s', async (_what, parameters, hosts, nsswitch, message) => {
    using place = await start(hosts, nsswitch);
    await using run = spoof(place, parameters);

    await expect(run.prepare()).rejects.toThrow(message);
    expect(hostsOf(place)).toBe(hosts);
  });

  test('refuses a file that cannot be written', async () => {
    using place = await start();
    place.sh('mount -o remount,bind,ro /etc/hosts');
    await using run = spoof(place);

    await expect(run.prepare()).rejects.toThrow('/etc/hosts cannot be written');
  });
});
