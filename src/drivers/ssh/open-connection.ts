/** One connection, tried again while the server is only busy. */
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JumpAddress } from '../contract.ts';
import { connectOnce, type HandshakeFailure, type SshConnection } from './connection.ts';
import { explainFailure } from './failures.ts';
import { loadIdentities } from './identities.ts';
import { loadHostKeys } from './known-hosts.ts';
import { ProxyCommand } from './proxy-command.ts';

/** Gives a stream to `address:port`: a socket that is connecting, or a channel through another host. */
export type Dial = (address: string, port: number, signal: AbortSignal) => Promise<Duplex>;

/** For everything from the first packet to the accepted key, retries included, ms. */
const connectTimeout = 15_000;
const attempts = 3;

// Our own socket: ssh2 never sets TCP_NODELAY (47 ms instead of 2 ms a command), and its destroy() does nothing once the peer has ended.
export const dialDirectly: Dial = async (host, port) => connectTcp({ host, port, noDelay: true, keepAlive: true });

export interface Route {
  readonly dial: Dial;
  /** What `dial` goes through, for what is told when it fails. */
  readonly jumps: readonly JumpAddress[];
}

/** Rejects as `HostDriver.connect` does. */
export async function openConnection(host: JumpAddress, { dial, jumps }: Route, signal: AbortSignal): Promise<SshConnection> {
  signal.throwIfAborted();
  const hostKeys = await loadHostKeys(host);
  const identities = await loadIdentities(host);
  const deadline = performance.now() + connectTimeout;
  for (let attempt = 1; ; attempt++) {
    const { proxyCommand } = host;
    const proxy = proxyCommand === undefined ? undefined : new ProxyCommand(proxyCommand);
    const socket = proxy ?? (await dial(host.address, host.port, signal));
    const answer = await connectOnce(host, socket, identities, hostKeys, deadline - performance.now(), signal);
    if (isConnection(answer)) return answer;
    signal.throwIfAborted();
    const delay = 100 + Math.random() * 400 * attempt;
    if (!answer.transient || attempt === attempts || performance.now() + delay > deadline)
      throw explainFailure({ host, jumps }, answer, identities, proxy);
    await sleep(delay, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

function isConnection(answer: SshConnection | HandshakeFailure): answer is SshConnection {
  return 'client' in answer;
}
