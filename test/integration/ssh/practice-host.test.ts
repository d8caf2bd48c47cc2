/** The lab's SSH endpoint as others see it: OpenSSH's own client, strangers, and the one who closes it. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { milliseconds } from '../../../src/core/units.ts';
import { sshDriver } from '../../../src/drivers/ssh/index.ts';
import { startSshHost } from '../../../src/lab/ssh-host.ts';
import { generateKeyPair, knownHostsLine } from '../../../src/lab/ssh-keys.ts';
import { countProcesses, type SshEndpoint, startPracticeHost } from '../../support/ssh-endpoints.ts';
import { startLink } from '../../support/ssh-link.ts';

const never = new AbortController().signal;
const ssh = ['/usr/bin/ssh', '/usr/local/bin/ssh'].find((path) => existsSync(path));
const sshKeygen = ['/usr/bin/ssh-keygen', '/usr/local/bin/ssh-keygen'].find((path) => existsSync(path));

let endpoint: SshEndpoint;
beforeAll(async () => {
  endpoint = await startPracticeHost();
});
afterAll(() => endpoint[Symbol.asyncDispose]());

function sshArguments(): string[] {
  const { host } = endpoint;
  const options = [
    '-F',
    'none',
    '-p',
    String(host.port),
    '-i',
    join(endpoint.folder, 'id'),
    '-o',
    `UserKnownHostsFile=${join(endpoint.folder, 'known_hosts')}`,
  ];
  return [...options, '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes'];
}

async function openSsh(extra: readonly string[], input = ''): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(ssh ?? '', [...sshArguments(), ...extra], { stdio: 'pipe' });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    said.stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said.stderr += chunk.toString();
  });
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

describe.skipIf(ssh === undefined)('to the ssh command', () => {
  test('it is a host like any other', async () => {
    const result = await openSsh(['shop@127.0.0.1', 'cat; pwd; echo err >&2; exit 5'], 'in\n');

    expect(result).toEqual({ code: 5, stdout: `in\n${endpoint.folder}\n`, stderr: 'err\n' });
  });

  test('the environment of commands is exactly the one it was given', async () => {
    const result = await openSsh(['shop@127.0.0.1', 'env']);

    expect(
      result.stdout
        .split('\n')
        .map((line) => line.split('=')[0])
        .filter((name) => !['', 'PWD', '_', 'SHLVL', 'OLDPWD'].includes(name ?? ''))
        .sort(),
    ).toEqual(['HOME', 'LANG', 'PATH']);
  });

  test('a shell without a terminal reads commands', async () => {
    expect(await openSsh(['-T', 'shop@127.0.0.1'], 'echo one\necho two\nexit 3\n')).toEqual({ code: 3, stdout: 'one\ntwo\n', stderr: '' });
  });

  test('a shell with a terminal prompts, echoes, and knows backspace and Ctrl-C', async () => {
    const child = spawn(ssh ?? '', [...sshArguments(), '-tt', 'shop@127.0.0.1'], { stdio: 'pipe' });
    let screen = '';
    child.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString();
    });
    const prompts = (count: number) => vi.waitFor(() => expect(screen.split('web-1$ ').length).toBeGreaterThan(count), { timeout: 5_000 });
    await prompts(1);
    child.stdin.write('echo hellp\u007fo\r');
    await prompts(2);
    child.stdin.write('sleep 39.1\r');
    await vi.waitFor(() => expect(countProcesses('sleep 39.1')).toBe(1), { timeout: 5_000 });
    child.stdin.write('\u0003');
    await prompts(3);
    child.stdin.write('\u0004');
    await once(child, 'close');

    expect(screen).toContain('echo hellp\b \bo\r\nhello\r\n');
    expect(screen).toContain('^C\r\n');
    expect(countProcesses('sleep 39.1')).toBe(0);
  });

  test('it forwards nothing but connections to loopback', async () => {
    const remote = await openSsh(['-o', 'ExitOnForwardFailure=yes', '-R', '0:127.0.0.1:1', 'shop@127.0.0.1', 'true']);
    const session = await sshDriver.connect(endpoint.host, never);

    expect(remote.code).toBe(255);
    expect(remote.stderr).toMatch(/remote port forwarding failed/);
    await expect(session.dial('192.0.2.1', 80, never)).rejects.toMatchObject({ code: 'CHAOS_COMMAND' });
    await session[Symbol.asyncDispose]();
  });

  test('it refuses passwords', async () => {
    const child = spawn(ssh ?? '', [...sshArguments(), '-o', 'PubkeyAuthentication=no', 'shop@127.0.0.1', 'true'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const [code] = (await once(child, 'close')) as [number];

    expect(code).toBe(255);
    expect(stderr).toMatch(/Permission denied \(publickey\)/);
  });
});

test('a command outlives the connection that started it, but not the host', async () => {
  const own = await startPracticeHost();
  await using link = await startLink(own.host.port);
  const knownHosts = join(own.folder, 'known_hosts_link');
  writeFileSync(knownHosts, `${knownHostsLine('127.0.0.1', link.port, own.hostKey)}\n`);
  const session = await sshDriver.connect({ ...own.host, port: link.port, knownHostsFiles: [knownHosts] }, never);
  const file = join(own.folder, 'ticks');
  void session.run({ command: `while :; do echo tick >> ${file}; sleep 0.1087; done`, timeout: milliseconds(60_000) }, never); // never rejects
  await vi.waitFor(() => expect(existsSync(file)).toBe(true), { timeout: 5_000 });
  link.cut();
  await session.lost;
  await sleep(300);
  const before = readFileSync(file, 'utf8').length;
  await sleep(400);

  expect(readFileSync(file, 'utf8').length).toBeGreaterThan(before);
  await own[Symbol.asyncDispose]();
  await sleep(100);
  expect(countProcesses('sleep 0.1087')).toBe(0);
});

test('closing kills what ignores TERM, and what its leader left behind', async () => {
  const own = await startPracticeHost();
  const session = await sshDriver.connect(own.host, never);
  await session.run({ command: "(trap '' TERM; sleep 40.1; sleep 40.2) > /dev/null 2>&1 & true", timeout: milliseconds(5_000) }, never);
  expect(countProcesses('sleep 40.')).toBeGreaterThan(0);
  await own[Symbol.asyncDispose]();

  await vi.waitFor(() => expect(countProcesses('sleep 40.')).toBe(0), { timeout: 2_000 });
  await session.lost;
});

test('a missing home and an unusable host key are said, not crashed on', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-ssh-'));
  const pair = generateKeyPair();
  const options = {
    name: 'x',
    hostKey: pair.private,
    authorizedKeys: [pair.public],
    user: 'shop',
    home: join(folder, 'none'),
    env: {},
    address: '127.0.0.1' as const,
  };
  writeFileSync(join(folder, 'id'), pair.private);
  await using server = await startSshHost(options);
  writeFileSync(join(folder, 'known_hosts'), `[127.0.0.1]:${server.port} ${pair.public}\n`);
  const session = await sshDriver.connect(
    { ...endpoint.host, port: server.port, identityFiles: [join(folder, 'id')], knownHostsFiles: [join(folder, 'known_hosts')] },
    never,
  );
  const result = await session.run({ command: 'true', timeout: milliseconds(5_000) }, never);
  await session[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });

  expect(result).toMatchObject({ ended: 'lost', lostBecause: expect.stringContaining('cannot start a command') as string });
  await expect(startSshHost({ ...options, hostKey: 'rubbish' })).rejects.toMatchObject({ code: 'CHAOS_LAB' });
  await expect(startSshHost({ ...options, authorizedKeys: ['rubbish'] })).rejects.toMatchObject({ code: 'CHAOS_LAB' });
  await expect(startSshHost({ ...options, port: server.port })).rejects.toMatchObject({ code: 'CHAOS_LAB' });
});

describe('generated keys', () => {
  test('are read by ssh2, and sign what their public half verifies', () => {
    for (let round = 0; round < 600; round++) {
      const pair = generateKeyPair('someone');
      const key = ssh2.utils.parseKey(pair.private);
      const open = ssh2.utils.parseKey(pair.public);
      if (key instanceof Error) throw key;
      if (open instanceof Error) throw open;

      expect(open.verify('text', key.sign('text'))).toBe(true);
    }
  });

  test.skipIf(sshKeygen === undefined)('are read by ssh-keygen', () => {
    const folder = mkdtempSync(join(tmpdir(), 'chaos-keys-'));
    for (const comment of ['', 'a', 'ab', 'abcdefg', 'me@example.com']) {
      const pair = generateKeyPair(comment);
      const file = join(folder, 'id');
      writeFileSync(file, pair.private, { mode: 0o600 });

      expect(execFileSync(sshKeygen ?? '', ['-y', '-f', file], { encoding: 'utf8' }).trim()).toBe(pair.public);
    }
    rmSync(folder, { recursive: true });
  });
});
