/** OpenSSH's client with ControlMaster, the peer that most people use: one open connection a host. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { CleanupStack } from '../../src/core/cleanup-stack.ts';
import { mapLimit } from '../../src/core/limit.ts';
import type { SshEndpoint } from '../support/ssh-endpoints.ts';

const run = promisify(execFile);
const forever = new AbortController().signal;
/** Of both sides. */
export const handshakes = 16;

/** Towards the endpoint, with the key exchange that ssh2 uses too. */
export function sshWords({ host, folder }: SshEndpoint): string[] {
  const options = ['StrictHostKeyChecking=yes', `UserKnownHostsFile=${join(folder, 'known_hosts')}`, 'IdentitiesOnly=yes', 'BatchMode=yes'];
  const words = options.flatMap((option) => ['-o', option]);
  return ['-F', 'none', ...words, '-o', 'KexAlgorithms=curve25519-sha256', '-i', join(folder, 'id'), '-p', String(host.port)];
}

/** Their sockets. */
export async function openMasters(endpoint: SshEndpoint, count: number, cleanup: CleanupStack): Promise<string[]> {
  const place = `${endpoint.host.user}@127.0.0.1`;
  const sockets = Array.from({ length: count }, (_, index) => join(endpoint.folder, `m${index}`));
  cleanup.defer(() => mapLimit(sockets, handshakes, (socket) => run('ssh', ['-S', socket, '-O', 'exit', place]).catch(() => ''), forever));
  const open = (socket: string) =>
    run('sh', ['-c', 'exec ssh "$@" >/dev/null 2>&1', 'ssh', ...sshWords(endpoint), '-fNM', '-S', socket, place]);
  await mapLimit(sockets, handshakes, open, forever);
  return sockets;
}

/** Runs the command on all at once; gives what each printed. */
export async function onMasters(sockets: readonly string[], user: string, command: string): Promise<string[]> {
  const ended = await Promise.all(sockets.map((socket) => run('ssh', ['-S', socket, `${user}@127.0.0.1`, command])));
  return ended.map(({ stdout }) => stdout);
}
