/** One attempt at one SSH connection, up to the accepted key. What failed is reported as facts; `failures.ts` makes sentences of them. */
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import type { JumpAddress } from '../contract.ts';
import { correctSignatures } from './certified-keys.ts';
import type { Identities } from './identities.ts';
import type { HostKeyAnswer, HostKeys } from './known-hosts.ts';
import { onAbort } from './on-abort.ts';

export interface SshConnection {
  readonly client: ssh2.Client;
  readonly socket: Duplex;
  /** Aborts, with the error as its reason, when the connection is gone. */
  readonly gone: AbortSignal;
}

export interface HandshakeFailure {
  readonly stage: 'connect' | 'host-key' | 'auth' | 'timeout';
  readonly error: Error;
  /** Worth another attempt: the server was busy, not unwilling. */
  readonly transient: boolean;
  /** The key that was refused, and why. */
  readonly refused?: { readonly key: Buffer; readonly answer: HostKeyAnswer };
  readonly agentTrouble?: string;
}

/** A dead link is noticed after interval × (count + 1) = 4 s. Tighter cuts live connections on slow links. */
const keepalive = { keepaliveInterval: 1_000, keepaliveCountMax: 3 };

/** ssh2 spends 1.6 s of blocked event loop on each dh-group-exchange, and offers it by default. */
const kex: ssh2.KexAlgorithm[] = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
  'diffie-hellman-group14-sha256',
];

/** Over `socket`, which is connecting or connected. Resolves in every case but an abort, which rejects with the signal's reason; a failed attempt leaves nothing open. */
export function connectOnce(
  host: JumpAddress,
  socket: Duplex,
  identities: Identities,
  hostKeys: HostKeys,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<SshConnection | HandshakeFailure> {
  const client = new ssh2.Client();
  const gone = new AbortController();
  let refused: HandshakeFailure['refused'];
  let agentTrouble: string | undefined;
  let first: SshError | undefined;

  return new Promise((resolve, reject) => {
    const stop = (error: Error): void => {
      first ??= error;
      socket.destroy();
    };
    const timer = setTimeout(() => stop(Object.assign(new Error('no answer in time'), { level: 'client-timeout' })), timeoutMs);
    const release = onAbort(signal, () => {
      socket.destroy();
      reject(signal.reason as Error);
    });
    // For the life of the connection: an 'error' without a listener would end the process.
    client.on('error', (error: SshError) => {
      if (error.level === 'agent') agentTrouble = error.message;
      else stop(error);
    });
    client.once('close', () => {
      clearTimeout(timer);
      release();
      const error = first ?? new Error('the host closed the connection');
      gone.abort(error);
      resolve(describeFailure(error, refused, agentTrouble));
    });
    client.once('ready', () => {
      clearTimeout(timer);
      release();
      resolve({ client, socket, gone: gone.signal });
    });
    client.connect({
      sock: socket,
      username: host.user,
      authHandler: [...identities.methods],
      hostVerifier: (key: Buffer) => {
        const answer = hostKeys.judge(key);
        if (answer.kind !== 'known') refused = { key, answer };
        return answer.kind === 'known';
      },
      algorithms: { kex, ...(hostKeys.algorithms.length === 0 ? {} : { serverHostKey: [...hostKeys.algorithms] }) },
      readyTimeout: 0, // ours also covers the TCP connection
      ...keepalive,
    });
    try {
      if (identities.certified.length > 0) correctSignatures(client);
    } catch (error) {
      stop(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

type SshError = Error & { readonly level?: string; readonly code?: string | number };

function describeFailure(error: SshError, refused: HandshakeFailure['refused'], agentTrouble: string | undefined): HandshakeFailure {
  const extra = { ...(refused === undefined ? {} : { refused }), ...(agentTrouble === undefined ? {} : { agentTrouble }) };
  const fact = (stage: HandshakeFailure['stage'], transient = false): HandshakeFailure => ({ stage, error, transient, ...extra });
  if (refused !== undefined || /no matching host key/i.test(error.message)) return fact('host-key');
  if (error.level === 'client-timeout') return fact('timeout');
  if (error.level === 'client-authentication' || /too many authentication failures/i.test(error.message)) return fact('auth');
  // A server at its MaxStartups limit drops connections in these two ways.
  return fact('connect', error.code === 'ECONNRESET' || /lost before handshake/i.test(error.message));
}
