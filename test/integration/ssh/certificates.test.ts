/** User certificates, made by ssh-keygen and judged by the system's sshd. */
import { execFileSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { milliseconds } from '../../../src/core/units.ts';
import type { HostAddress } from '../../../src/drivers/contract.ts';
import { sshDriver } from '../../../src/drivers/ssh/index.ts';
import { type SshEndpoint, sshd, startSystemSshd } from '../../support/ssh-endpoints.ts';

const never = new AbortController().signal;
const me = userInfo().username;
const keygen = ['/usr/bin/ssh-keygen', '/usr/local/bin/ssh-keygen'].some((path) => existsSync(path));
const agent = ['/usr/bin/ssh-agent', '/usr/local/bin/ssh-agent'].find((path) => existsSync(path));
const missing = sshd === undefined ? 'no sshd is installed' : keygen ? undefined : 'there is no ssh-keygen';
let endpoint: SshEndpoint;

beforeAll(async () => {
  if (missing !== undefined) return;
  endpoint = await startSystemSshd(['TrustedUserCAKeys %FOLDER%/ca.pub']);
  generate('ca', 'ed25519');
});
afterAll(async () => endpoint?.[Symbol.asyncDispose]());

function at(name: string): string {
  return join(endpoint.folder, name);
}

function generate(name: string, ...type: readonly string[]): void {
  execFileSync('ssh-keygen', ['-q', '-N', '', '-f', at(name), '-t', ...type]);
}

/** Gives `NAME-cert.pub`. */
function certify(name: string, principals = me, ...more: readonly string[]): string {
  execFileSync('ssh-keygen', ['-q', '-s', at('ca'), '-I', 'a test', '-n', principals, ...more, at(`${name}.pub`)]);
  return at(`${name}-cert.pub`);
}

function withKey(name: string, more: Partial<HostAddress> = {}): HostAddress {
  return { ...endpoint.host, identityFiles: [at(name)], ...more };
}

async function hello(host: HostAddress): Promise<string> {
  await using session = await sshDriver.connect(host, never);
  return (await session.run({ command: 'echo hello', timeout: milliseconds(5_000) }, never)).stdout;
}

function refusedWith(...texts: readonly string[]): object {
  const message = expect.stringMatching(new RegExp(texts.join('[^]*'))) as string;
  return { code: 'CHAOS_SSH_AUTH', message, hint: expect.any(String) as string };
}

async function withAgent(work: (socket: string, add: (...args: readonly string[]) => void) => Promise<void>): Promise<void> {
  const socket = at('agent');
  const started = execFileSync(agent ?? '', ['-s', '-a', socket], { encoding: 'utf8' });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1]);
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  try {
    await work(socket, (...args) => execFileSync('ssh-add', ['-q', ...args], { env, stdio: 'ignore' }));
  } finally {
    process.kill(pid);
    rmSync(socket, { force: true });
  }
}

describe.skipIf(missing !== undefined)(`a user certificate${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  test.each(['ed25519', 'ecdsa -b 256', 'ecdsa -b 384', 'ecdsa -b 521', 'rsa -b 2048'])(
    'beside its key opens the session: %s',
    async (kind) => {
      const type = kind.split(' ');
      const name = type.join('');
      generate(name, ...type);
      await expect(hello(withKey(name))).rejects.toMatchObject({ code: 'CHAOS_SSH_AUTH' });
      certify(name);

      // The bytes of a signature vary in length: numbers with leading zeros or bits.
      for (let round = 0; round < 8; round++) expect(await hello(withKey(name))).toBe('hello\n');
    },
  );

  test('named elsewhere opens it, and then none beside a key counts', async () => {
    generate('named', 'ed25519');
    renameSync(certify('named'), at('elsewhere.pub'));

    expect(await hello(withKey('named', { certificateFiles: [at('elsewhere.pub')] }))).toBe('hello\n');
    certify('named');
    await expect(hello(withKey('named', { certificateFiles: [at('nothing')] }))).rejects.toMatchObject(
      refusedWith(`cannot read the certificate ${at('nothing')}`),
    );
  });

  test('that does not help leaves the plain key to be offered', async () => {
    execFileSync('cp', [at('id'), at('both')]);
    execFileSync('cp', [at('authorized_keys'), at('both.pub')]);
    certify('both', me, '-V', '-2d:-1d');

    expect(await hello(withKey('both'))).toBe('hello\n');
  });

  test('that is refused says what is wrong with it', async () => {
    generate('bad', 'ed25519');
    const name = at('bad-cert.pub');
    const refusal = async (): Promise<void> => void (await hello(withKey('bad')));

    certify('bad', me, '-V', '20200101:20200201');
    await expect(refusal()).rejects.toMatchObject(refusedWith(`the certificate ${name} expired at 2020-0[12]-`));
    certify('bad', me, '-V', '+1d:+2d');
    await expect(refusal()).rejects.toMatchObject(refusedWith(`the certificate ${name} is not valid before 2`));
    certify('bad', 'somebody,sre');
    await expect(refusal()).rejects.toMatchObject(refusedWith(`${name} is for "somebody", "sre", not for the user ${me}`));
    certify('bad', me, '-O', 'source-address=192.0.2.0/24');
    await expect(refusal()).rejects.toMatchObject(refusedWith('may only be used from 192.0.2.0/24'));
    certify('bad', me, '-h');
    await expect(refusal()).rejects.toMatchObject(refusedWith(`${name} is a certificate of a host`));
    generate('other', 'ed25519');
    renameSync(certify('other'), name);
    await expect(refusal()).rejects.toMatchObject(refusedWith(`${name} is for another key \\(SHA256:`));
  });

  test('of an authority that the host does not trust names the authority', async () => {
    generate('foreign', 'ed25519');
    generate('other-ca', 'ed25519');
    execFileSync('ssh-keygen', ['-q', '-s', at('other-ca'), '-I', 'a test', '-n', me, at('foreign.pub')]);

    await expect(hello(withKey('foreign'))).rejects.toMatchObject({
      code: 'CHAOS_SSH_AUTH',
      hint: expect.stringMatching(/trust the authority SHA256:\S+ \(TrustedUserCAKeys\)/) as string,
    });
  });

  test.skipIf(agent === undefined)('is signed for by the agent that holds the key', async () => {
    for (const type of ['ed25519', 'ecdsa', 'rsa']) {
      const name = `away-${type}`;
      generate(name, type);
      await withAgent(async (socket, add) => {
        add(at(name));
        certify(name);
        renameSync(at(name), at(`${name}-private`));
        expect(await hello(withKey(name, { agent: true, agentSocket: socket, identitiesOnly: true }))).toBe('hello\n');
      });
    }
  });

  test.skipIf(agent === undefined)('that only the agent lists is offered, but not where only named ones may be', async () => {
    for (const type of ['ed25519', 'ecdsa', 'rsa']) {
      const name = `held-${type}`;
      generate(name, type);
      certify(name);
      await withAgent(async (socket, add) => {
        add(at(name));
        const host = { ...endpoint.host, identityFiles: [], agent: true, agentSocket: socket };
        expect(await hello(host)).toBe('hello\n');
        await expect(hello({ ...host, identitiesOnly: true })).rejects.toMatchObject({ code: 'CHAOS_SSH_AUTH' });
      });
    }
  });
});
