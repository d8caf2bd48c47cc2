import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { targetId } from '../../../../src/core/ids.ts';
import type { HostAddress } from '../../../../src/drivers/contract.ts';
import { loadIdentities } from '../../../../src/drivers/ssh/identities.ts';
import { generateKeyPair } from '../../../../src/lab/ssh-keys.ts';

const folder = mkdtempSync(join(tmpdir(), 'chaos-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

const pair = generateKeyPair();
const plain = file('id', pair.private);
// Made for this test, passphrase `secret`; opens nothing.
const encrypted = file(
  'id_encrypted',
  `-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABBW0wNF8X
Nu5z8ALw8W7EF2AAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAINC9yMidV6INbU8Z
BsxO4yqxlpJmGOvc5z8UsE28G90XAAAAkLZSbirzSnUZ5ICUlwTpnjOJhnHHcSSPIg7/Wd
8Jg4Wmj9hMWZeAcYyXEY0SP6nA1svNGw3QPJ1RZpG0nCwanaDZt6gVOxUkVbWhFDGVGdZH
d3eMJTTzyr5sUdS00lBfCyvJdMHreqoyuoeRHlyYbHD2JlHNA+BNSWz3GYJweVonIkyMY1
C9YTbDVki/SRp/MQ==
-----END OPENSSH PRIVATE KEY-----
`,
);

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

function host(identityFiles: readonly string[], agent = false): HostAddress {
  return {
    id: targetId('web-1'),
    driver: 'ssh',
    address: '127.0.0.1',
    port: 22,
    user: 'shop',
    identityFiles,
    agent,
    knownHostsFiles: [],
    become: 'none',
    jumps: [],
  };
}

test('offers key files first, in order, then the agent', async () => {
  const identities = await loadIdentities(host([plain], true), '/run/agent.sock');

  expect(identities.methods.map((method) => method.type)).toEqual(['publickey', 'agent']);
  expect(identities.offered).toEqual([`${plain} (ssh-ed25519)`, 'the agent']);
});

test('an encrypted key is refused with the way around it', async () => {
  await expect(loadIdentities(host([encrypted]), undefined)).rejects.toMatchObject({
    code: 'CHAOS_SSH_AUTH',
    message: expect.stringContaining('is encrypted') as string,
    hint: expect.stringContaining(`ssh-add ${encrypted}`) as string,
  });
});

test('an encrypted key is opened with its passphrase, and a wrong one is told', async () => {
  const identities = await loadIdentities({ ...host([encrypted]), passphrase: 'secret' }, undefined);

  expect(identities.offered).toEqual([`${encrypted} (ssh-ed25519)`]);
  await expect(loadIdentities({ ...host([encrypted]), passphrase: 'wrong' }, undefined)).rejects.toMatchObject({
    code: 'CHAOS_SSH_AUTH',
    message: `the passphrase does not open the key ${encrypted}`,
  });
});

test('an encrypted key is passed over when the agent may have it', async () => {
  const identities = await loadIdentities(host([encrypted], true), '/run/agent.sock');

  expect(identities.offered).toEqual(['the agent']);
  expect(identities.skipped).toEqual([expect.stringContaining('is encrypted')]);
});

test('a missing file, a public key and rubbish each say what they are', async () => {
  const cases: Array<[string, RegExp]> = [
    [join(folder, 'none'), /cannot read the key file/],
    [file('id.pub', pair.public), /is a public key/],
    [file('rubbish', 'hello'), /not a private key in a known format/],
  ];
  for (const [path, message] of cases) {
    await expect(loadIdentities(host([path]), undefined)).rejects.toMatchObject({
      code: 'CHAOS_SSH_AUTH',
      message: expect.stringMatching(message) as string,
      hint: expect.any(String) as string,
    });
  }
});

test('without any key it says what to set', async () => {
  await expect(loadIdentities(host([], true), undefined)).rejects.toMatchObject({
    message: expect.stringContaining('SSH_AUTH_SOCK is not set') as string,
  });
  await expect(loadIdentities(host([]), '/run/agent.sock')).rejects.toMatchObject({
    message: expect.stringContaining('not to be used') as string,
  });
});
