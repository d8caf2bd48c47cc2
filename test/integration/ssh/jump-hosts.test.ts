/** Connections through other hosts, over practice hosts and a link that counts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { milliseconds } from '../../../src/core/units.ts';
import type { HostAddress, JumpAddress } from '../../../src/drivers/contract.ts';
import { sshDriver } from '../../../src/drivers/ssh/index.ts';
import { knownHostsLine } from '../../../src/lab/ssh-keys.ts';
import { type SshEndpoint, startPracticeHost } from '../../support/ssh-endpoints.ts';
import { startLink } from '../../support/ssh-link.ts';

const never = new AbortController().signal;
let target: SshEndpoint;
let first: SshEndpoint;
let second: SshEndpoint;

beforeAll(async () => {
  [target, first, second] = await Promise.all([startPracticeHost(), startPracticeHost(), startPracticeHost()]);
});
afterAll(async () => {
  for (const one of [target, first, second]) await one[Symbol.asyncDispose]();
});

function behind(...jumps: readonly JumpAddress[]): HostAddress {
  return { ...target.host, jumps };
}

async function hello(host: HostAddress): Promise<string> {
  await using session = await sshDriver.connect(host, never);
  return (await session.run({ command: 'echo hello', timeout: milliseconds(5_000) }, never)).stdout;
}

describe('a host behind others', () => {
  test('is reached through one, and through two', async () => {
    expect(await hello(behind(first.host))).toBe('hello\n');
    expect(await hello(behind(first.host, second.host))).toBe('hello\n');
  });

  test('shares one connection to its jump host with all others, which closes with the last', async () => {
    await using link = await startLink(first.host.port);
    const file = join(first.folder, 'known_hosts_link');
    writeFileSync(file, knownHostsLine('127.0.0.1', link.port, first.hostKey));
    const jump = { ...first.host, port: link.port, knownHostsFiles: [file] };

    const sessions = await Promise.all([1, 2, 3].map(() => sshDriver.connect(behind(jump), never)));
    const open = link.open();
    await sessions[0]?.[Symbol.asyncDispose]();
    await sessions[1]?.[Symbol.asyncDispose]();
    const answer = await sessions[2]?.run({ command: 'echo still', timeout: milliseconds(5_000) }, never);
    const withOne = link.open();
    await sessions[2]?.[Symbol.asyncDispose]();

    expect([open, withOne, answer?.stdout]).toEqual([1, 1, 'still\n']);
    await vi.waitFor(() => expect(link.open()).toBe(0));
  });

  test('is lost with its jump host', async () => {
    const jump = await startPracticeHost();
    const session = await sshDriver.connect(behind(jump.host), never);
    await jump[Symbol.asyncDispose]();

    await expect(session.lost).resolves.toBeInstanceOf(Error);
    await session[Symbol.asyncDispose]();
  });

  test('is not reached past a jump host whose key is unknown or that refuses, and the error names it', async () => {
    const empty = join(first.folder, 'empty_known_hosts');
    writeFileSync(empty, '');
    const unknown = { ...first.host, id: 'gate', knownHostsFiles: [empty] };

    await expect(hello(behind(unknown))).rejects.toMatchObject({
      code: 'CHAOS_SSH_HOST_KEY',
      message: expect.stringMatching(/^jump host gate: the host key of gate/) as string,
    });
    await expect(hello({ ...behind(first.host), port: 1 })).rejects.toMatchObject({
      code: 'CHAOS_SSH_CONNECT',
      message: expect.stringContaining('cannot connect to 127.0.0.1:1') as string,
    });
  });
});
