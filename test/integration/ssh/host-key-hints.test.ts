/** The lines that are printed for a host key which is unknown or has changed, pasted for real: afterwards our own check lets the host in. */
import { execFile } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ChaosError } from '../../../src/core/errors.ts';
import type { HostAddress, JumpAddress } from '../../../src/drivers/contract.ts';
import { sshDriver } from '../../../src/drivers/ssh/index.ts';
import { generateKeyPair } from '../../../src/lab/ssh-keys.ts';
import { type SshEndpoint, sshd, startPracticeHost, startSystemSshd } from '../../support/ssh-endpoints.ts';

const run = promisify(execFile);
const start = sshd === undefined ? startPracticeHost : startSystemSshd;
let target: SshEndpoint;
let first: SshEndpoint;
let second: SshEndpoint;
let askpass: string;
let files = 0;

beforeAll(async () => {
  [target, first, second] = await Promise.all([start(), start(), start()]);
  askpass = join(target.folder, 'askpass');
  // The person who compares the fingerprint: says yes to that question and to no other.
  writeFileSync(askpass, "#!/bin/sh\ncase $1 in *'fingerprint is'*) echo yes ;; *) exit 1 ;; esac\n");
  chmodSync(askpass, 0o755);
});
afterAll(async () => {
  for (const one of [target, first, second]) await one[Symbol.asyncDispose]();
});

/** A known_hosts file of its own, with a name that has to be quoted. */
function known(text = ''): string {
  files++;
  const file = join(target.folder, `it's known ${files}`);
  writeFileSync(file, text);
  return file;
}

/** `undefined`: it lets us in. */
async function refusal(host: HostAddress): Promise<ChaosError | undefined> {
  try {
    await using _session = await sshDriver.connect(host, new AbortController().signal);
    return undefined;
  } catch (error) {
    if (error instanceof ChaosError) return error;
    throw error;
  }
}

async function paste(error: ChaosError | undefined): Promise<string> {
  const line = error?.hint?.split(/: {2}/)[1] ?? 'false';
  const env = { PATH: process.env.PATH, HOME: target.folder, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':9' };
  await run('sh', ['-c', line], { env, timeout: 15_000 });
  return line;
}

const place = (endpoint: SshEndpoint): string => `[127.0.0.1]:${endpoint.host.port}`;
const namesIn = (file: string): string[] => [
  ...new Set(
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => line.split(' ')[0] || []),
  ),
];

type Way = readonly [what: string, ways: () => readonly JumpAddress[], more: Partial<HostAddress>, names: () => string];
const directly: Way = ['directly', () => [], {}, () => place(target)];
const byAlias: Way = ['directly, by an alias', () => [], { hostKeyAlias: 'db/primary' }, () => 'db/primary'];
const behindOne: Way = ['through a jump host', () => [first.host], {}, () => place(target)];
const behindOneByAlias: Way = ['through a jump host, by an alias', () => [first.host], { hostKeyAlias: 'db-primary' }, () => 'db-primary'];
const behindTwo: Way = ['through two', () => [first.host, second.host], {}, () => place(target)];

function reached([, jumps, more]: Way, file: string): HostAddress {
  return { ...target.host, jumps: jumps(), knownHostsFiles: [file], ...more };
}

test.each([directly, byAlias, behindOne, behindOneByAlias, behindTwo].map((way) => [way[0], way] as const))(
  'a host reached %s whose key is not known is let in after the line was pasted',
  async (_what, way) => {
    const file = known();

    const error = await refusal(reached(way, file));
    await paste(error);

    expect(error?.message).toContain('is not known');
    expect(namesIn(file)).toEqual([way[3]()]);
    expect(await refusal(reached(way, file))).toBeUndefined();
  },
);

test.each([directly, byAlias, behindOneByAlias].map((way) => [way[0], way] as const))(
  'a host reached %s whose key has changed is let in after the line was pasted, and the old key is gone',
  async (_what, way) => {
    const old = generateKeyPair().public;
    const other = `other.example ${generateKeyPair().public}`;
    const file = known(`${other}\n${way[3]()} ${old}\n`);

    const error = await refusal(reached(way, file));
    await paste(error);

    expect(error?.message).toContain('HAS CHANGED');
    expect(await refusal(reached(way, file))).toBeUndefined();
    expect(readFileSync(file, 'utf8')).not.toContain(old);
    expect(readFileSync(file, 'utf8')).toContain(other);
  },
);

test('a jump host behind another is learned through that one', async () => {
  const file = known();
  const host = { ...target.host, jumps: [first.host, { ...second.host, id: 'inner', knownHostsFiles: [file] }] };

  const error = await refusal(host);
  await paste(error);

  expect(error?.message).toMatch(/^jump host inner: the host key of inner/);
  expect(namesIn(file)).toEqual([place(second)]);
  expect(await refusal(host)).toBeUndefined();
});

test('a host behind a jump host that has a ProxyCommand is learned through both', async () => {
  const file = known();
  const relay = `${process.execPath} -e 'const s=require("net").connect(${first.host.port},"127.0.0.1");process.stdin.pipe(s).pipe(process.stdout)' 100%`;
  const host = { ...target.host, knownHostsFiles: [file], jumps: [{ ...first.host, proxyCommand: relay }] };

  await paste(await refusal(host));

  expect(await refusal(host)).toBeUndefined();
});

test('an old key that stands for other hosts too stays theirs', async () => {
  const shared = `* ${generateKeyPair().public}`;
  const file = known(`# ours\n${shared}\n`);
  const host = { ...target.host, knownHostsFiles: [file] };

  const error = await refusal(host);
  await paste(error);

  expect(error?.message).toContain(`${file}:2 has another key`);
  expect(await refusal(host)).toBeUndefined();
  expect(readFileSync(file, 'utf8')).toContain(shared.replace('* ', `*,!${place(target)} `));
});

test('logging in by hand goes the same way', async () => {
  const stranger = join(target.folder, 'stranger');
  writeFileSync(stranger, generateKeyPair().private, { mode: 0o600 });
  const host = { ...target.host, jumps: [first.host], identityFiles: [stranger] };

  const error = await refusal(host);

  expect(error?.code).toBe('CHAOS_SSH_AUTH');
  const line = error?.hint?.split(/\? {2}/)[1]?.replace(stranger, target.host.identityFiles[0] ?? '') ?? 'false';
  const learned = line.replace('ssh ', `ssh -o UserKnownHostsFile=${target.host.knownHostsFiles[0]} `);
  await run('sh', ['-c', learned], { timeout: 15_000 });
});
