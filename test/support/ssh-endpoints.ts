/** SSH endpoints to test against: the lab's own host, and the system's sshd where there is one. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { targetId } from '../../src/core/ids.ts';
import type { HostAddress } from '../../src/drivers/contract.ts';
import { startSshHost } from '../../src/lab/ssh-host.ts';
import { generateKeyPair, knownHostsLine } from '../../src/lab/ssh-keys.ts';

export interface SshEndpoint extends AsyncDisposable {
  readonly host: HostAddress;
  /** A folder that goes with the endpoint; its HOME where it has one of its own. */
  readonly folder: string;
  /** Public half of the host key, as in known_hosts. */
  readonly hostKey: string;
}

export interface EndpointKind {
  readonly name: string;
  /** Why it cannot be used here. */
  readonly missing?: string;
  start(): Promise<SshEndpoint>;
}

/** `undefined` where none is installed. */
export const sshd = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'].find((path) => existsSync(path));

export const endpointKinds: readonly EndpointKind[] = [
  { name: 'a practice host of the lab', start: startPracticeHost },
  { name: "the system's sshd", start: () => startSystemSshd(), ...(sshd === undefined ? { missing: 'no sshd is installed' } : {}) },
];

function prepare(): { folder: string; hostPrivate: string; hostKey: string; userPublic: string } {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-ssh-'));
  const hostPair = generateKeyPair();
  const userPair = generateKeyPair();
  writeFileSync(join(folder, 'id'), userPair.private, { mode: 0o600 });
  writeFileSync(join(folder, 'host_key'), hostPair.private, { mode: 0o600 });
  writeFileSync(join(folder, 'authorized_keys'), `${userPair.public}\n`);
  return { folder, hostPrivate: hostPair.private, hostKey: hostPair.public, userPublic: userPair.public };
}

function addressOf(folder: string, port: number, user: string, hostKey: string): HostAddress {
  writeFileSync(join(folder, 'known_hosts'), `${knownHostsLine('127.0.0.1', port, hostKey)}\n`);
  return {
    id: targetId('web-1'),
    driver: 'ssh',
    address: '127.0.0.1',
    port,
    user,
    identityFiles: [join(folder, 'id')],
    agent: false,
    knownHostsFiles: [join(folder, 'known_hosts')],
    become: 'none',
    jumps: [],
  };
}

export async function startPracticeHost(): Promise<SshEndpoint> {
  const { folder, hostPrivate, hostKey, userPublic } = prepare();
  const server = await startSshHost({
    name: 'web-1',
    hostKey: hostPrivate,
    authorizedKeys: [userPublic],
    user: 'shop',
    home: folder,
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: folder, LANG: 'C' },
    address: '127.0.0.1',
  });
  return {
    host: addressOf(folder, server.port, 'shop', hostKey),
    folder,
    hostKey,
    async [Symbol.asyncDispose]() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `more`: further lines for its configuration, in which `%FOLDER%` is its folder. */
export async function startSystemSshd(more: readonly string[] = []): Promise<SshEndpoint> {
  const { folder, hostKey } = prepare();
  const port = await freePort();
  const user = userInfo().username;
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${folder}/host_key`,
    `AuthorizedKeysFile ${folder}/authorized_keys`,
    `PidFile ${folder}/pid`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    // bash would read the start-up files of whoever runs the tests, for each command.
    `SetEnv HOME=${folder}`,
    ...more.map((line) => line.replaceAll('%FOLDER%', folder)),
  ];
  writeFileSync(join(folder, 'sshd_config'), `${config.join('\n')}\n`);
  // Only root's sshd wants it, at each connection, and only the service makes it. It stays: other test files have an sshd at the same time.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const server = spawn(sshd ?? '', ['-D', '-e', '-f', join(folder, 'sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const dispose = async (): Promise<void> => {
    const gone = once(server, 'exit');
    if (server.exitCode === null && server.kill()) await gone;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilListening(port, () => server.exitCode === null);
  } catch (error) {
    await dispose();
    throw new Error(`sshd did not start: ${log}`, { cause: error });
  }
  return { host: addressOf(folder, port, user, hostKey), folder, hostKey, [Symbol.asyncDispose]: dispose };
}

async function untilListening(port: number, alive: () => boolean): Promise<void> {
  for (let tries = 0; tries < 100 && alive(); tries++) {
    const socket = connect(port, '127.0.0.1');
    const open = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false);
    socket.destroy();
    if (open) return;
    await sleep(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  server.close();
  await once(server, 'close');
  return port;
}

/** How many processes have a command line that begins with `text`; a shell that was only told of it does not count. */
export function countProcesses(text: string): number {
  const lines = execFileSync('ps', ['-A', '-o', 'stat=', '-o', 'args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => !line.startsWith('Z') && line.replace(/^\S+\s+/, '').startsWith(text)).length;
}
