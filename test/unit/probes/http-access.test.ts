// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseEnvironment } from '../../../src/environment/load.ts';
import { resolveEnvironment } from '../../../src/environment/resolve.ts';
import { httpProbe } from '../../../src/probes/http/index.ts';
import { probeRegistry } from '../../../src/probes/registry.ts';
import { runProbe, tally } from '../../support/probe-run.ts';
import { asHttp, authority, tcpStage } from '../../support/probe-stage.ts';

function environment(probe: string): string {
  return `apiVersion: chaos/v1
kind: Environment
name: here
tier: lab
hosts: { web-1: {} }
probes:
  shop:
    http:
      ${probe.replaceAll('\n', '\n      ')}
`;
}

function mistakes(probe: string): string[] {
  const parsed = parseEnvironment(environment(probe), '/srv/envs/here.yaml', probeRegistry);
  return parsed.ok ? [] : parsed.diagnostics.map(({ code, line, column, summary }) => `${line}:${column} ${code}: ${summary}`);
}

const secret = 'expected a reference, never the secret itself';

describe('access to HTTP targets', () => {
  it.each([
    ['url: https://shop.example/\nbearer: hunter2', `10:15 literal-secret: ${secret}`],
    ['url: https://shop.example/\nbasic: { user: chaos, password: hunter2 }', `10:39 literal-secret: ${secret}`],
    ['url: https://chaos:hunter2@shop.example/', `9:12 literal-secret: ${secret}`],
    ['url: https://shop.example/\nheaders: { X-Api-Key: hunter2 }', `10:29 literal-secret: ${secret}`],
    [
      'url: https://shop.example/\nheaders: { authorization: "Basic ${env:A}" }\nbearer: "${env:B}"',
      '11:15 bad-value: the headers have an Authorization of their own',
    ],
    [
      'url: https://shop.example/\nbearer: "${env:B}"\nbasic: { user: a, password: "${env:B}" }',
      '11:14 bad-value: expected either bearer or basic',
    ],
    ['url: http://shop.example/\ntls: { insecure: true }', '10:12 bad-value: an http URL has no TLS: did you mean https?'],
    ['url: https://shop.example/\nmethod: HEAD\nexpectText: ok', '11:19 bad-value: an answer to HEAD has no body'],
  ])('refuses %j at its place, without the secret', (probe, mistake) => {
    const found = mistakes(probe);

    expect(found).toEqual([mistake]);
    expect(found.join()).not.toContain('hunter2');
  });

  it.each([
    ['keys/ca.pem', '/srv/envs/keys/ca.pem'],
    ['/etc/ca.pem', '/etc/ca.pem'],
    ['${env:SHOP_CA}', '${env:SHOP_CA}'],
    ['${file:ca.pem}', '${file:/srv/envs/ca.pem}'],
  ])('takes the CA %s for %s', (ca, expected) => {
    const parsed = parseEnvironment(environment(`url: https://shop.example/\ntls: { ca: "${ca}" }`), '/srv/envs/here.yaml', probeRegistry);

    const [probe] = parsed.ok ? resolveEnvironment(parsed.value).probes : [];

    expect(probe?.spec.tls).toEqual({ ca: expected, insecure: false });
  });

  it('trusts the certificates of a file, or anybody where it is told to', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chaos-test-ca-'));
    const seen = new Set<string | undefined>();
    const good = asHttp((request, response) => {
      seen.add(request.headers.authorization);
      response.end();
    });
    try {
      writeFileSync(join(folder, 'ca.pem'), authority.ca);
      await using stage = await tcpStage({ on: 'refuses', words: /x/, secure: true }, good);
      await stage.good();
      const url = `https://127.0.0.1:${stage.port}/`;
      const fast = { url, rate: '5/s', timeout: '10s' };
      await using trusting = runProbe(httpProbe, { ...fast, tls: { ca: join(folder, 'ca.pem') }, bearer: 'token-1' });
      await using careless = runProbe(httpProbe, { ...fast, tls: { insecure: true }, basic: { user: 'ü', password: 'p:q' } });
      await using wary = runProbe(httpProbe, { ...fast, tls: { ca: authority.ca, serverName: 'other.example' } });
      await Promise.all([trusting.until(2), careless.until(2), wary.until(2)]);

      expect(tally(trusting.samples)).toEqual({ ok: trusting.samples.length });
      expect(tally(careless.samples)).toEqual({ ok: careless.samples.length });
      expect(tally(wary.samples)).toEqual({ ERR_TLS_CERT_ALTNAME_INVALID: wary.samples.length });
      expect([...seen].toSorted()).toEqual([`Basic ${Buffer.from('ü:p:q').toString('base64')}`, 'Bearer token-1']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ['/nowhere/ca.pem', 'the file of tls.ca cannot be read'],
    ['/dev/null', 'there is no certificate in tls.ca'],
  ])('does not start with the CA %s', (ca, message) => {
    expect(() => runProbe(httpProbe, { url: 'https://127.0.0.1/', tls: { ca } })).toThrow(message);
  });
});
