/**
 * The SSH driver: hosts reached as the operator would reach them, with their own keys, known_hosts and jump hosts. This folder and the lab's
 * hosts are the only places that import ssh2. It knows hosts and commands; nothing of faults, plans or runs.
 */
import type { HostAddress, HostDriver, HostSession } from '../contract.ts';
import { JumpHosts } from './jump-hosts.ts';
import { onAbort } from './on-abort.ts';
import { openConnection } from './open-connection.ts';
import { SshSession } from './session.ts';

const jumpHosts = new JumpHosts();

export const sshDriver: HostDriver = { kind: 'ssh', connect };

async function connect(host: HostAddress, signal: AbortSignal): Promise<HostSession> {
  const way = await jumpHosts.open(host.jumps, signal);
  try {
    const connection = await openConnection(host, { dial: way.dial, jumps: host.jumps }, signal);
    onAbort(connection.gone, way.release);
    return new SshSession(host, connection);
  } catch (error) {
    way.release();
    throw error;
  }
}
