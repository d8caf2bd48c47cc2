/**
 * One practice host of the lab: a real SSH endpoint on loopback, inside this process. Commands run in real processes with the host's own
 * HOME and environment, each as leader of its own process group, as under sshd. Keys only, loopback only; it knows nothing of the shop.
 */
import { createServer, type Socket, type Server as TcpServer } from 'node:net';
import ssh2 from 'ssh2';
import { ChaosError } from '../core/errors.ts';
import { createAuthenticator } from './ssh-host-auth.ts';
import { ProcessGroups } from './ssh-host-processes.ts';
import { serveSession } from './ssh-host-session.ts';
import { serveTunnel } from './ssh-host-tunnel.ts';

export interface SshHostOptions {
  /** As people see it: in the shell's prompt and in errors. */
  readonly name: string;
  /** Private host key, OpenSSH or PEM. */
  readonly hostKey: string;
  /** Public keys that may log in, as in authorized_keys. */
  readonly authorizedKeys: readonly string[];
  /** The only account. */
  readonly user: string;
  /** Working folder of every command; must exist. */
  readonly home: string;
  /** The whole environment of every command; nothing is added but the prompt of an interactive shell. */
  readonly env: Readonly<Record<string, string>>;
  /** Account that commands run as; only root can set it. */
  readonly uid?: number;
  readonly gid?: number;
  readonly address: '127.0.0.1';
  /** Default: a free one. */
  readonly port?: number;
}

export interface SshHost extends AsyncDisposable {
  readonly name: string;
  readonly port: number;
  /** Ends all connections and every process group that was started here (TERM, then KILL). Idempotent. */
  close(): Promise<void>;
}

/** A login must be complete by then, ms. */
const loginTimeout = 20_000;

/** dh-group-exchange is left out: ssh2 spends 1.6 s of blocked event loop on it. */
const kex: ssh2.KexAlgorithm[] = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'diffie-hellman-group14-sha256',
];

/** Starts the host; rejects with `CHAOS_LAB` when the key is unusable or the port is taken. */
export async function startSshHost(options: SshHostOptions): Promise<SshHost> {
  const groups = new ProcessGroups();
  const sockets = new Set<Socket>();
  const ssh = createSshServer(options, groups);
  // The listener is ours and not ssh2's, so that TCP_NODELAY is set from the first byte and sockets can be cut at close.
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    ssh.injectSocket(socket);
  });
  const port = await listen(listener, options);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await Promise.all([closed, groups.end()]);
    })();
    return closing;
  };
  return { name: options.name, port, close, [Symbol.asyncDispose]: close };
}

function createSshServer(options: SshHostOptions, groups: ProcessGroups): ssh2.Server {
  const decide = createAuthenticator(options.user, options.authorizedKeys);
  try {
    return new ssh2.Server({ hostKeys: [options.hostKey], ident: 'chaos-lab', algorithms: { kex } }, (connection) => {
      // What a broken client does to its connection is its own affair; 'close' follows.
      connection.setMaxListeners(0);
      connection.on('error', () => connection.end());
      const deadline = setTimeout(() => connection.end(), loginTimeout);
      connection.once('close', () => clearTimeout(deadline));
      connection.on('authentication', decide);
      connection.once('ready', () => {
        clearTimeout(deadline);
        connection.on('session', (accept) => serveSession(accept(), connection, options, groups));
        connection.on('tcpip', (accept, reject, request) => serveTunnel(accept, reject, request));
      });
    });
  } catch (cause) {
    throw new ChaosError('CHAOS_LAB', `the host key of lab host ${options.name} is unusable`, { target: options.name, cause });
  }
}

function listen(listener: TcpServer, options: SshHostOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(
        new ChaosError('CHAOS_LAB', `lab host ${options.name} cannot listen on ${options.address}:${options.port ?? 0}`, {
          target: options.name,
          cause,
        }),
      );
    listener.once('error', fail);
    listener.listen(options.port ?? 0, options.address, () => {
      listener.off('error', fail);
      // Later errors are those of single connections (out of descriptors); the host itself stays.
      listener.on('error', () => undefined);
      const address = listener.address();
      if (address === null || typeof address === 'string') fail(new Error('no TCP address'));
      else resolve(address.port);
    });
  });
}
