/** What only particular servers and machines show: busy, restricted and noisy ones, and the agent. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { milliseconds } from '../../../src/core/units.ts';
import type { HostAddress } from '../../../src/drivers/contract.ts';
import { sshDriver } from '../../../src/drivers/ssh/index.ts';
import { knownHostsLine } from '../../../src/lab/ssh-keys.ts';
import { type SshEndpoint, sshd, startPracticeHost, startSystemSshd } from '../../support/ssh-endpoints.ts';

const never = new AbortController().signal;
const timeout = milliseconds(10_000);
const agent = ['/usr/bin/ssh-agent', '/usr/local/bin/ssh-agent'].find((path) => existsSync(path));

function on(endpoint: SshEndpoint, port: number): HostAddress {
  const file = join(endpoint.folder, 'known_hosts_other');
  writeFileSync(file, `${knownHostsLine('127.0.0.1', port, endpoint.hostKey)}\n`);
  return { ...endpoint.host, port, knownHostsFiles: [file] };
}

/** Drops the first connections as an sshd at its MaxStartups limit does. */
async function busyServer(port: number, drops: number): Promise<{ port: number; seen: () => number } & AsyncDisposable> {
  let seen = 0;
  const server = createServer((near) => {
    seen++;
    near.on('error', () => undefined);
    if (seen <= drops) {
      near.end();
      return;
    }
    const far = connect(port, '127.0.0.1').on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    seen: () => seen,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

describe('a server too busy for a handshake', () => {
  test('is tried again', async () => {
    await using endpoint = await startPracticeHost();
    await using busy = await busyServer(endpoint.host.port, 2);
    await using session = await sshDriver.connect(on(endpoint, busy.port), never);

    expect(await session.run({ command: 'echo here', timeout }, never)).toMatchObject({ ended: 'exited', stdout: 'here\n' });
    expect(busy.seen()).toBe(3);
  });

  test('is left alone after three attempts', async () => {
    await using endpoint = await startPracticeHost();
    await using busy = await busyServer(endpoint.host.port, 99);

    await expect(sshDriver.connect(on(endpoint, busy.port), never)).rejects.toMatchObject({
      code: 'CHAOS_SSH_CONNECT',
      message: expect.stringContaining('lost before handshake') as string,
    });
    expect(busy.seen()).toBe(3);
  });
});

describe.skipIf(sshd === undefined)(`an sshd of its own kind${sshd === undefined ? ' (skipped: no sshd is installed)' : ''}`, () => {
  test('that allows three sessions gets three at a time', async () => {
    await using endpoint = await startSystemSshd(['MaxSessions 3']);
    await using session = await sshDriver.connect(endpoint.host, never);
    const commands = Array.from({ length: 12 }, (_, index) => session.run({ command: `sleep 0.05; echo ${index}`, timeout }, never));

    expect((await Promise.all(commands)).map((result) => result.stdout)).toEqual(Array.from({ length: 12 }, (_, index) => `${index}\n`));
  });

  test('that allows no sessions is lost, and says so', async () => {
    await using endpoint = await startSystemSshd(['MaxSessions 0']);
    await using session = await sshDriver.connect(endpoint.host, never);

    expect(await session.run({ command: 'true', timeout }, never)).toMatchObject({
      ended: 'lost',
      lostBecause: expect.stringMatching(/open failed/) as string,
    });
  });

  test('whose login shell prints before the command does not disturb it', async () => {
    await using endpoint = await startSystemSshd(['ForceCommand echo welcome; echo; eval "$SSH_ORIGINAL_COMMAND"']);
    await using session = await sshDriver.connect(endpoint.host, never);

    expect(await session.run({ command: 'cat; exit 4', stdin: 'in', timeout }, never)).toMatchObject({
      ended: 'exited',
      exitCode: 4,
      stdout: 'in',
    });
    expect(await session.run({ command: 'sleep 41.1', timeout: milliseconds(300) }, never)).toMatchObject({ ended: 'timed-out' });
  });

  test('that runs something else instead never counts as success', async () => {
    await using endpoint = await startSystemSshd(['ForceCommand echo "This account is not available."; exit 0']);
    await using session = await sshDriver.connect(endpoint.host, never);
    const result = await session.run({ command: 'true', timeout }, never);

    expect(result).toMatchObject({
      ended: 'lost',
      exitCode: null,
      lostBecause: expect.stringContaining('did not run it (exit 0)') as string,
    });
  });

  test('that forbids forwarding says what to set', async () => {
    await using endpoint = await startSystemSshd(['AllowTcpForwarding no']);
    await using session = await sshDriver.connect(endpoint.host, never);

    await expect(session.dial('127.0.0.1', 22, never)).rejects.toMatchObject({
      code: 'CHAOS_COMMAND',
      hint: expect.stringContaining('AllowTcpForwarding') as string,
    });
  });
});

test.skipIf(agent === undefined)('of the agent’s keys only those that are named are offered where the configuration says so', async () => {
  await using endpoint = await startPracticeHost();
  const socket = join(endpoint.folder, 'agent');
  const started = execFileSync(agent ?? '', ['-s', '-a', socket], { encoding: 'utf8' });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1]);
  try {
    const key = join(endpoint.folder, 'id');
    const other = join(endpoint.folder, 'other');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
    // The private half is in the agent only, as on a token.
    const away = join(endpoint.folder, 'away');
    writeFileSync(`${away}.pub`, execFileSync('ssh-keygen', ['-y', '-f', key]));
    execFileSync('ssh-add', ['-q', other, key], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
    const host = { ...endpoint.host, agent: true, agentSocket: socket, identitiesOnly: true };

    await using session = await sshDriver.connect({ ...host, identityFiles: [away] }, never);

    expect(await session.run({ command: 'true', timeout }, never)).toMatchObject({ ended: 'exited', exitCode: 0 });
    await expect(sshDriver.connect({ ...host, identityFiles: [other] }, never)).rejects.toMatchObject({ code: 'CHAOS_SSH_AUTH' });
  } finally {
    process.kill(pid);
  }
});

test.skipIf(agent === undefined)('the agent’s keys are offered, and a dead agent is named', async () => {
  await using endpoint = await startPracticeHost();
  const socket = join(endpoint.folder, 'agent');
  const started = execFileSync(agent ?? '', ['-s', '-a', socket], { encoding: 'utf8' });
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1]);
  execFileSync('ssh-add', ['-q', join(endpoint.folder, 'id')], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
  const before = process.env.SSH_AUTH_SOCK;
  process.env.SSH_AUTH_SOCK = socket;
  const host = { ...endpoint.host, identityFiles: [], agent: true };
  try {
    await using session = await sshDriver.connect(host, never);
    expect(await session.run({ command: 'true', timeout }, never)).toMatchObject({ ended: 'exited', exitCode: 0 });
    process.kill(pid);
    process.env.SSH_AUTH_SOCK = join(endpoint.folder, 'no-agent');
    await expect(sshDriver.connect(host, never)).rejects.toMatchObject({
      code: 'CHAOS_SSH_AUTH',
      message: expect.stringMatching(/the agent did not help/) as string,
    });
  } finally {
    if (before === undefined) delete process.env.SSH_AUTH_SOCK;
    else process.env.SSH_AUTH_SOCK = before;
  }
});
