/**
 * Connections to jump hosts, one for each however many targets are behind it: opened by the first that needs it, closed by the last that
 * goes. Host keys are checked strictly at every hop.
 */
import type { Duplex } from 'node:stream';
import { ChaosError, describeError } from '../../core/errors.ts';
import type { JumpAddress } from '../contract.ts';
import type { SshConnection } from './connection.ts';
import { onAbort } from './on-abort.ts';
import { type Dial, dialDirectly, openConnection } from './open-connection.ts';
import { tunnelStream } from './streams.ts';

export interface Way {
  readonly dial: Dial;
  /** May be called more than once. */
  release(): void;
}

interface Shared {
  readonly connection: Promise<SshConnection>;
  readonly before: Way;
  users: number;
}

const direct: Way = { dial: dialDirectly, release: () => undefined };

export class JumpHosts {
  readonly #open = new Map<string, Shared>();

  /** The way through `jumps`; without any the direct one. Rejects as the driver's `connect` does, naming the hop. */
  async open(jumps: readonly JumpAddress[], signal: AbortSignal): Promise<Way> {
    const last = jumps.at(-1);
    if (last === undefined) return direct;
    const key = JSON.stringify(jumps.map(({ address, port, user, proxyCommand }) => [address, port, user, proxyCommand]));
    const shared = this.#open.get(key) ?? (await this.#start(key, jumps.slice(0, -1), last, signal));
    shared.users++;
    const release = once(() => this.#leave(key, shared));
    try {
      const connection = await shared.connection;
      return { dial: (address, port) => forward(connection, last, address, port), release };
    } catch (error) {
      release();
      signal.throwIfAborted();
      throw new ChaosError(
        error instanceof ChaosError ? error.code : 'CHAOS_SSH_CONNECT',
        `jump host ${last.id}: ${describeError(error)}`,
        {
          target: last.id,
          ...(error instanceof ChaosError && error.hint !== undefined ? { hint: error.hint } : {}),
          cause: error,
        },
      );
    }
  }

  async #start(key: string, before: readonly JumpAddress[], last: JumpAddress, signal: AbortSignal): Promise<Shared> {
    const way = await this.open(before, signal);
    // Somebody else may have been faster meanwhile.
    const known = this.#open.get(key);
    if (known !== undefined) {
      way.release();
      return known;
    }
    const connection = openConnection(last, { dial: way.dial, jumps: before }, signal);
    const shared: Shared = { connection, before: way, users: 0 };
    this.#open.set(key, shared);
    const forget = (): void => {
      if (this.#open.get(key) === shared) this.#open.delete(key);
    };
    connection.then(({ gone }) => onAbort(gone, forget), forget);
    return shared;
  }

  #leave(key: string, shared: Shared): void {
    shared.users--;
    if (shared.users > 0) return;
    if (this.#open.get(key) === shared) this.#open.delete(key);
    const close = ({ client, socket }: SshConnection): void => {
      client.end();
      socket.destroy();
    };
    // One that never came up has nothing to close.
    void shared.connection.then(close, () => undefined).finally(() => shared.before.release());
  }
}

function forward({ client, gone }: SshConnection, jump: JumpAddress, address: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => {
      if (error === undefined) return resolve(tunnelStream(channel, gone, jump.id));
      const hint = `Can ${jump.id} reach it, and does its sshd allow forwarding (AllowTcpForwarding)?`;
      reject(
        new ChaosError('CHAOS_SSH_CONNECT', `${jump.id} cannot connect to ${address}:${port}: ${error.message}`, {
          target: jump.id,
          hint,
          cause: error,
        }),
      );
    });
  });
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
