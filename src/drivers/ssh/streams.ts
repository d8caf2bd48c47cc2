/**
 * ssh2's channels as ordinary Node streams. A channel ends the same way whether the other side finished or the link was cut, never
 * answers a write once it is closed, and cannot be destroyed with an error; these can be trusted with `pipeline`.
 */
import { Duplex, Readable, Writable } from 'node:stream';
import type ssh2 from 'ssh2';
import { ChaosError } from '../../core/errors.ts';
import { onAbort } from './on-abort.ts';

/** The output of a command: filled by `fill`, ended only by `finish`. */
export class CommandOutput extends Readable {
  readonly #channel: ssh2.ClientChannel;

  constructor(channel: ssh2.ClientChannel) {
    super();
    this.#channel = channel;
    this.on('error', () => undefined); // whoever reads it also sees the result
  }

  fill(chunk: Buffer): void {
    if (!this.destroyed && !this.push(chunk)) this.#channel.pause();
  }

  override _read(): void {
    this.#channel.resume();
  }

  /** Without an error the reader sees the end, with one it sees that. */
  finish(error: Error | undefined): void {
    if (error === undefined) this.push(null);
    else this.destroy(error);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#channel.resume(); // a reader that went away must not hold the channel open
    callback(error);
  }
}

/** The input of a command. Destroyed once the command has ended: a writer that is not done then learns of it. */
export function commandInput(channel: ssh2.ClientChannel): Writable {
  const input = new Writable({
    write: (chunk: Buffer, _encoding, callback) => {
      channel.write(chunk, callback);
    },
    final: (callback) => {
      channel.end();
      callback();
    },
  });
  return input.on('error', () => undefined);
}

/** A forwarded TCP connection; ends with an error when the SSH connection is cut. */
export function tunnelStream(channel: ssh2.ClientChannel, gone: AbortSignal, target: string): Duplex {
  const stream = new Duplex({
    read: () => {
      channel.resume();
    },
    write: (chunk: Buffer, _encoding, callback) => {
      channel.write(chunk, callback);
    },
    final: (callback) => {
      channel.end();
      callback();
    },
    destroy: (error, callback) => {
      channel.resume();
      channel.close();
      callback(error);
    },
  });
  stream.on('error', () => undefined);
  channel.on('error', (error: Error) => stream.destroy(error));
  channel.on('data', (chunk: Buffer) => {
    if (!stream.destroyed && !stream.push(chunk)) channel.pause();
  });
  const cut = (): void => {
    stream.destroy(lostError(target, gone.reason));
  };
  const release = onAbort(gone, cut);
  // 'end' also comes when the link is cut, after `gone`.
  channel.once('end', () => {
    if (!gone.aborted && !stream.destroyed) stream.push(null);
  });
  channel.once('close', () => {
    release();
    if (gone.aborted) cut();
    // What was written is out or lost; nobody will answer further writes.
    else if (!stream.writableFinished || stream.readableEnded) stream.destroy();
  });
  return stream;
}

export function lostError(target: string, cause: unknown): ChaosError {
  return new ChaosError('CHAOS_TARGET_LOST', `the connection to ${target} is gone`, { target, cause });
}
