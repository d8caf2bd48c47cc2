/**
 * The SSH driver: hosts reached as the operator would reach them, with their own keys and known_hosts. This folder and the lab's hosts are
 * the only places that import ssh2. It knows hosts and commands; nothing of faults, plans or runs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostAddress, HostDriver, HostSession } from '../contract.ts';
import { connectOnce, type HandshakeFailure, type SshConnection } from './connection.ts';
import { explainFailure } from './failures.ts';
import { loadIdentities } from './identities.ts';
import { loadHostKeys } from './known-hosts.ts';
import { SshSession } from './session.ts';

/** For everything from the first packet to the accepted key, retries included, ms. */
const connectTimeout = 15_000;
const attempts = 3;

export const sshDriver: HostDriver = { kind: 'ssh', connect };

async function connect(host: HostAddress, signal: AbortSignal): Promise<HostSession> {
  signal.throwIfAborted();
  const hostKeys = await loadHostKeys(host);
  const identities = await loadIdentities(host);
  const deadline = performance.now() + connectTimeout;
  for (let attempt = 1; ; attempt++) {
    const answer = await connectOnce(host, identities, hostKeys, deadline - performance.now(), signal);
    if (isConnection(answer)) return new SshSession(host, answer);
    signal.throwIfAborted();
    const delay = 100 + Math.random() * 400 * attempt;
    if (!answer.transient || attempt === attempts || performance.now() + delay > deadline) throw explainFailure(host, answer, identities);
    await sleep(delay, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

function isConnection(answer: SshConnection | HandshakeFailure): answer is SshConnection {
  return 'client' in answer;
}
