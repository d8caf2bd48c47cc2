/** What the operator's own ssh says of hosts, asked of the real `ssh -G`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseEnvironment } from '../../../src/environment/load.ts';
import { type EnvironmentModel, resolveEnvironment } from '../../../src/environment/resolve.ts';
import { reachAsSsh } from '../../../src/environment/ssh-config.ts';
import type { PlannedHost } from '../../../src/plan/plan.ts';
import { probeRegistry } from '../../../src/probes/registry.ts';

const noSsh = spawnSync('ssh', ['-V']).status !== 0;
if (noSsh) console.warn('skipped: there is no ssh client');
const never = new AbortController().signal;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'chaos-test-ssh-config-'));
  mkdirSync(join(folder, 'conf.d'));
  for (const key of ['id_a', 'id_b', 'id_env']) writeFileSync(join(folder, key), 'not read here', { mode: 0o600 });
  const web = [
    'Host web-*',
    '  HostName %h.example.net',
    '  User deploy',
    `  IdentityFile ${folder}/id_a`,
    `  IdentityFile ${folder}/missing`,
  ];
  writeFileSync(join(folder, 'conf.d/web'), web.join('\n'));
  writeFileSync(
    join(folder, 'config'),
    `Include ${folder}/conf.d/*
Host inner
  HostName 10.9.0.7
  Port 2207
  ProxyJump ops@gate-1:2201,gate-2
  HostKeyAlias inner-key
  IdentityAgent none
Host gate-*
  User jumper
  IdentityFile ${folder}/id_b
  UserKnownHostsFile ${folder}/known_gates
Host far
  ProxyJump near
Host near
  ProxyJump gate-2
Host loop-a
  ProxyJump loop-b
Host loop-b
  ProxyJump loop-a
Host certified
  CertificateFile ${folder}/id_a-cert.pub
Host tokens
  HostName 10.9.0.9
  User a
  IdentityFile ${folder}/id_%r
Host odd
  ProxyCommand nc %h %k
Host relayed
  HostName 10.9.0.8
  Port 2208
  User ops
  ProxyCommand relay %r@%h:%p "%n" 100%%
Host behind-relayed
  ProxyJump relayed,odd
Host passing
  ProxyCommand nc -F %h %p
  ProxyUseFdpass yes
Host stdin
  ProxyCommand -
`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function environment(hosts: string, ssh = `config: ${folder}/config`): EnvironmentModel {
  const text = `apiVersion: chaos/v1
kind: Environment
name: test
tier: dev
ssh: { ${ssh} }
hosts: { ${hosts} }
probes: { web: { http: { url: "http://127.0.0.1/", rate: 1/s, timeout: 1s } } }
slos: { errors: { probe: web, measure: error-rate, window: 10s, fatal: "> 5%" } }
`;
  const parsed = parseEnvironment(text, join(folder, 'test.yaml'), probeRegistry);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics));
  return resolveEnvironment(parsed.value);
}

async function reach(hosts: string, ssh?: string): Promise<PlannedHost> {
  const [host] = (await reachAsSsh(environment(hosts, ssh), never)).hosts;
  if (host === undefined) throw new Error('no host');
  return host;
}

describe.skipIf(noSsh)('a host of the SSH configuration', () => {
  test('gets address, login and the keys that are there, through Include and patterns', async () => {
    const expected = { address: 'web-1.example.net', port: 22, user: 'deploy', identityFiles: [`${folder}/id_a`], agent: true, jumps: [] };
    expect(await reach('web-1: {}')).toMatchObject(expected);
  });

  test('is reached through its jump hosts in order, each with a login of its own', async () => {
    const host = await reach('inner: {}');

    expect(host).toMatchObject({ address: '10.9.0.7', port: 2207, hostKeyAlias: 'inner-key', agent: false });
    expect(host.jumps).toMatchObject([
      { id: 'gate-1', address: 'gate-1', port: 2201, user: 'ops', identityFiles: [`${folder}/id_b`] },
      { id: 'gate-2', address: 'gate-2', port: 22, user: 'jumper' },
    ]);
    expect(host.jumps[1]?.knownHostsFiles).toContain(`${folder}/known_gates`);
    expect((await reach('far: {}')).jumps.map(({ id }) => id)).toEqual(['gate-2', 'near']);
  });

  test('gets the certificates that are named, and none otherwise', async () => {
    expect((await reach('certified: {}')).certificateFiles).toEqual([`${folder}/id_a-cert.pub`]);
    expect(await reach('web-1: {}')).not.toHaveProperty('certificateFiles');
  });

  test('tokens in the names of key files are expanded, which ssh -G leaves to the connection', async () => {
    expect((await reach('tokens: {}')).identityFiles).toEqual([`${folder}/id_a`]);
  });

  test('is reached by the ProxyCommand with its tokens expanded, also to a jump host but only to the first', async () => {
    const first = 'relay ops@10.9.0.8:2208 "relayed" 100%';

    expect(await reach('relayed: {}')).toMatchObject({ proxyCommand: first, jumps: [] });
    expect((await reach('relayed: { address: 10.0.0.9 }')).proxyCommand).toBe('relay ops@10.0.0.9:2208 "relayed" 100%');
    expect((await reach('behind-relayed: {}')).jumps.map(({ id, proxyCommand }) => [id, proxyCommand])).toEqual([
      ['relayed', first],
      ['odd', undefined],
    ]);
    expect(await reach('behind-relayed: {}')).not.toHaveProperty('proxyCommand');
  });

  test('keeps what the environment file says of it', async () => {
    const host = await reach('web-1: { address: 10.0.0.1, port: 2222, user: me, identityFile: id_env, knownHosts: known_env }');

    expect(host).toMatchObject({ address: '10.0.0.1', port: 2222, user: 'me' });
    expect([host.identityFiles, host.knownHostsFiles]).toEqual([[`${folder}/id_env`], [`${folder}/known_env`]]);
  });

  test('is not asked for with config: none', async () => {
    expect(await reach('web-1: {}', 'config: none, user: me')).toMatchObject({ address: 'web-1', user: 'me', identityFiles: [] });
  });

  test.each([
    ['odd: {}', undefined, 'ProxyCommand (nc %h %k), in which %k stands for nothing'],
    ['passing: {}', undefined, 'ProxyUseFdpass'],
    ['stdin: {}', undefined, 'standard input of this program'],
    ['loop-a: {}', undefined, 'more than 8 jump hosts'],
    ['web-1: {}', 'config: /nonexistent/config', '/nonexistent/config'],
  ])('that cannot be reached so is refused with the reason: %s', async (hosts, ssh, why) => {
    await expect(reach(hosts, ssh)).rejects.toMatchObject({ code: 'CHAOS_REFUSED', message: expect.stringContaining(why) as string });
  });
});
