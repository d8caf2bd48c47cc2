/** One open SSH connection as the engine sees it: run, start, dial, lost, dispose. */
import { randomBytes } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type ssh2 from 'ssh2';
import { ChaosError } from '../../core/errors.ts';
import type { TargetId } from '../../core/ids.ts';
import type { ArmedCommand, CommandRequest, CommandResult, HostAddress, HostSession, RunningCommand } from '../contract.ts';
import type { Link } from './channel.ts';
import { ChannelSlots } from './channel-slots.ts';
import { type CommandOrder, type Ending, execute } from './command.ts';
import type { SshConnection } from './connection.ts';
import { onAbort } from './on-abort.ts';
import { BoundedOutput } from './output.ts';
import { CommandOutput, commandInput, lostError, tunnelStream } from './streams.ts';

const defaultMaxBytes = 1024 * 1024;
/**
 * `service x start` may leave a child that holds our output open for ever. Longer than it takes to notice a dead link (4 s): a link
 * that died right after the exit must be `lost`.
 */
const quietMs = 5_000;
/** For ending our commands when the session is disposed of, ms: eight of them, two at a time, each TERM, 2 s, KILL. */
const endingTimeout = 11_000;

export class SshSession implements HostSession {
  readonly target: TargetId;
  readonly lost: Promise<Error>;
  readonly #connection: SshConnection;
  readonly #closing = new AbortController();
  readonly #link: Link;
  readonly #running = new Set<Promise<Ending>>();
  readonly #becomes: boolean;
  #disposed: Promise<void> | undefined;

  constructor(host: Pick<HostAddress, 'id' | 'user' | 'become'>, connection: SshConnection) {
    const target = host.id;
    this.target = target;
    this.#becomes = host.become === 'sudo' && host.user !== 'root';
    this.#connection = connection;
    const { client, gone } = connection;
    const slots = new ChannelSlots();
    this.#link = { target, client, gone, closing: this.#closing.signal, slots, mark: randomBytes(8).toString('hex') };
    this.lost = new Promise((resolve) => {
      onAbort(gone, () => {
        slots.close(lostError(target, gone.reason));
        resolve(gone.reason as Error);
      });
    });
  }

  run(request: CommandRequest, signal: AbortSignal): Promise<CommandResult> {
    return this.#collect(request, signal);
  }

  arm(request: CommandRequest, signal: AbortSignal): Promise<ArmedCommand> {
    return new Promise((resolve, reject) => {
      const cancel = new AbortController();
      const armed = (go: () => void): void => {
        let fired = false;
        const fire = (): Promise<CommandResult> => {
          fired = true;
          go();
          return result;
        };
        const dispose = async (): Promise<void> => {
          if (fired) return;
          cancel.abort();
          await result;
        };
        resolve({ fire, [Symbol.asyncDispose]: dispose });
      };
      const result = this.#collect(request, AbortSignal.any([signal, cancel.signal]), armed);
      // Too late to matter once it is armed.
      void result.then((ending) => reject(this.#notStarted(ending, signal)));
    });
  }

  async #collect(request: CommandRequest, signal: AbortSignal, ready?: (go: () => void) => void): Promise<CommandResult> {
    const maxBytes = request.maxBytes ?? defaultMaxBytes;
    const stdout = new BoundedOutput(maxBytes);
    const begun = (channel: ssh2.ClientChannel): void => {
      channel.end(request.stdin);
    };
    const hooks = { begun, stdout: (chunk: Buffer) => stdout.add(chunk), quietMs, ...(ready === undefined ? {} : { ready }) };
    const ending = await this.#track(execute(this.#link, { ...this.#order(request), maxBytes }, hooks, signal));
    return { ...ending, stdout: stdout.text(), truncated: ending.truncated || stdout.truncated };
  }

  #order(request: Pick<CommandRequest, 'command' | 'timeout' | 'privileged'>): Pick<CommandOrder, 'command' | 'timeout' | 'asRoot'> {
    return { command: request.command, timeout: request.timeout, asRoot: this.#becomes && request.privileged === true };
  }

  start(request: Omit<CommandRequest, 'stdin' | 'maxBytes'>, signal: AbortSignal): Promise<RunningCommand> {
    return new Promise((resolve, reject) => {
      let close: (ending: Ending) => void = (ending) => reject(this.#notStarted(ending, signal));
      let output: CommandOutput | undefined;
      const begun = (channel: ssh2.ClientChannel): void => {
        const stdout = new CommandOutput(channel);
        const stdin = commandInput(channel);
        output = stdout;
        close = (ending) => {
          stdout.finish(this.#streamError(ending));
          stdin.destroy();
        };
        resolve({ stdin, stdout: stdout as Readable, result });
      };
      const order = { ...this.#order(request), maxBytes: defaultMaxBytes };
      const hooks = { begun, stdout: (chunk: Buffer) => output?.fill(chunk) };
      const result: Promise<CommandResult> = this.#track(execute(this.#link, order, hooks, signal)).then((ending) => {
        close(ending);
        return { ...ending, stdout: '' };
      });
    });
  }

  dial(address: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      let waiting = true;
      const release = onAbort(signal, () => {
        waiting = false;
        reject(signal.reason as Error);
      });
      const answered = (error: Error | undefined, channel: ssh2.ClientChannel | undefined): void => {
        release();
        if (channel === undefined) reject(this.#notDialled(address, port, error));
        else if (waiting) resolve(tunnelStream(channel, this.#link.gone, this.target));
        else channel.close();
      };
      try {
        this.#link.client.forwardOut('127.0.0.1', 0, address, port, answered);
      } catch (error) {
        answered(error as Error, undefined); // 'Not connected'
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async #dispose(): Promise<void> {
    const patience = new AbortController();
    const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal: patience.signal }).catch(() => undefined);
    this.#closing.abort();
    await Promise.race([Promise.all(this.#running), wait(endingTimeout)]);
    this.#connection.client.end();
    await Promise.race([this.lost, wait(500)]);
    patience.abort();
    this.#connection.socket.destroy();
    await this.lost;
  }

  #track(work: Promise<Ending>): Promise<Ending> {
    this.#running.add(work);
    return work.finally(() => this.#running.delete(work));
  }

  #notStarted(ending: Pick<Ending, 'ended' | 'lostBecause' | 'stderr'>, signal: AbortSignal): Error {
    if (ending.ended === 'aborted' && signal.aborted) return signal.reason as Error;
    if (ending.ended === 'timed-out')
      return new ChaosError('CHAOS_COMMAND', `no free session on ${this.target} in time`, { target: this.target });
    if (ending.ended === 'exited') return new ChaosError('CHAOS_COMMAND', `${this.target}: ${ending.stderr}`, { target: this.target });
    return lostError(this.target, ending.lostBecause ?? 'the session is closed');
  }

  /** What the reader of a started command's output is told; a cut must not look like the end. */
  #streamError(ending: Ending): Error | undefined {
    switch (ending.ended) {
      case 'exited':
        return undefined;
      case 'lost':
        return lostError(this.target, ending.lostBecause);
      case 'timed-out':
      case 'aborted':
        return new ChaosError('CHAOS_COMMAND', `the command on ${this.target} was stopped (${ending.ended})`, { target: this.target });
    }
  }

  #notDialled(address: string, port: number, error: Error | undefined): ChaosError {
    if (this.#link.gone.aborted) return lostError(this.target, this.#link.gone.reason);
    const prohibited = (error as { readonly reason?: unknown } | undefined)?.reason === 1;
    return new ChaosError('CHAOS_COMMAND', `${this.target} cannot connect to ${address}:${port}`, {
      target: this.target,
      cause: error,
      ...(prohibited ? { hint: 'Its sshd forbids forwarding: set AllowTcpForwarding yes (or local) there.' } : {}),
    });
  }
}
