import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, open, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { dnsProbe } from '../../../../src/probes/dns/index.ts';
import { knownAddress, knownName, nameServer, recordTo, workingDns } from '../../../support/probe-dns.ts';
import { runProbe, tally } from '../../../support/probe-run.ts';

const fast = { rate: '50/s', timeout: '1s' };

/** A name as it stands in a record. */
function encoded(name: string): Buffer {
  return Buffer.concat([...name.split('.').map((part) => Buffer.from([part.length, ...Buffer.from(part)])), Buffer.from([0])]);
}

describe('dns probe', () => {
  it.each([
    ['CNAME', 5, encoded('Web.example'), 'web.example.'],
    ['NS', 2, encoded('ns.example'), 'ns.example'],
    ['PTR', 12, encoded('host.example'), 'host.example'],
    ['MX', 15, Buffer.from([0, 10, ...encoded('mail.example')]), '10 mail.example'],
    ['SRV', 33, Buffer.from([0, 0, 0, 5, 1, 187, ...encoded('web.example')]), '0 5 443 web.example'],
    ['TXT', 16, Buffer.from([2, 0x76, 0x3d, 1, 0x31]), 'v=1'],
    ['AAAA', 28, Buffer.from([0xfd, ...Buffer.alloc(14), 7]), 'fd00::7'],
  ])('understands a record of type %s', async (type, code, data, answer) => {
    await using server = await nameServer((question) => recordTo(question, code, data));
    const spec = { ...fast, name: knownName, type, server: `127.0.0.1:${server.port}` };
    await using run = runProbe(dnsProbe, { ...spec, expect: answer });
    await using other = runProbe(dnsProbe, { ...spec, expect: 'x' });

    await Promise.all([run.until(2), other.until(2)]);
    await Promise.all([run.probe.stop(), other.probe.stop()]);

    expect(tally(run.samples)).toEqual({ ok: run.samples.length });
    expect(tally(other.samples)).toEqual({ 'another answer': other.samples.length });
  });

  it('does not wait for the threads that the lookups of the system and the journal share', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chaos-test-dns-'));
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await using server = await workingDns();
    // Opening a pipe that nobody writes to takes a thread each, until somebody does.
    const blocked = Array.from({ length: 8 }, () => new Promise<number>((resolve) => open(pipe, 'r', (_error, file) => resolve(file))));
    try {
      await using run = runProbe(dnsProbe, { ...fast, name: knownName, server: `127.0.0.1:${server.port}`, expect: knownAddress });
      await run.until(5);

      expect(tally(run.samples)).toEqual({ ok: run.samples.length });
      expect(await Promise.race([...blocked, Promise.resolve('still blocked')])).toBe('still blocked');
    } finally {
      const writer = openSync(pipe, 'r+');
      for (const file of await Promise.all(blocked)) closeSync(file);
      closeSync(writer);
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    {},
    { name: 'a b' },
    { name: 'shop..example' },
    { name: knownName, type: 'ANY' },
    { name: knownName, server: 'ns.example:53' },
    { name: knownName, server: '10.0.0.53:0' },
  ])('refuses %j', (spec) => {
    expect(dnsProbe.spec.safeParse(spec).success).toBe(false);
  });

  it.each(['10.0.0.53', '10.0.0.53:5353', 'fd00::53', '[fd00::53]:53'])('takes %s for a server', (server) => {
    expect(dnsProbe.spec.safeParse({ name: knownName, server }).success).toBe(true);
  });
});
