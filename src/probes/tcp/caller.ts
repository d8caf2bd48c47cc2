/** One connection a sample, closed again whatever came of it. */
import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Client, Reading } from '../asking.ts';
import { parseEndpoint } from '../endpoint.ts';
import { sampleError } from '../errors.ts';
import { textMatcher } from '../expectations.ts';
import type { Slot } from '../schedule.ts';
import { sharedLookup } from '../shared-lookup.ts';
import type { TlsTrust } from '../tls.ts';
import { tlsOptions } from '../tls-context.ts';
import type { TcpSpec } from './schema.ts';

/** A greeting or a short answer; whoever says more has not understood. */
const maxBytes = 16 * 1024;

export class TcpCaller implements Client {
  readonly #spec: TcpSpec;
  readonly #tls: ConnectionOptions | undefined;
  readonly #lookup = sharedLookup();
  readonly #hasText: ((text: string) => boolean) | undefined;

  /** `tls`: absent for plain TCP. */
  constructor(spec: TcpSpec, tls: TlsTrust | undefined) {
    this.#spec = spec;
    this.#tls = tls === undefined ? undefined : tlsOptions(tls);
    this.#hasText = spec.expectText === undefined ? undefined : textMatcher(spec.expectText);
  }

  ask({ signal }: Slot): Promise<Reading> {
    return new Promise((resolve) => {
      const socket = this.#connect();
      const giveUp = (): void => end({ ok: false, error: 'timeout' });
      const end = (reading: Reading): void => {
        signal.removeEventListener('abort', giveUp);
        socket.destroy();
        resolve(reading);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      socket.on('error', (error) => end({ ok: false, error: sampleError(error) }));
      socket.once('close', () => end({ ok: false, error: 'closed' }));
      socket.once(this.#tls === undefined ? 'connect' : 'secureConnect', () => {
        if (this.#spec.send !== undefined) socket.write(this.#spec.send);
        if (this.#hasText === undefined) end({ ok: true });
      });
      this.#listen(socket, end);
    });
  }

  close(): void {
    // Each connection has ended with its sample.
  }

  #connect(): Socket {
    const { host, port } = parseEndpoint(this.#spec.address) ?? { host: '', port: 0 };
    if (this.#tls === undefined) return connect({ host, port, lookup: this.#lookup });
    const named = isIP(host) === 0 ? { servername: host } : {};
    return connectTls({ host, port, lookup: this.#lookup, ...named, ...this.#tls });
  }

  #listen(socket: Socket, end: (reading: Reading) => void): void {
    const chunks: Buffer[] = [];
    let bytes = 0;
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (this.#hasText?.(Buffer.concat(chunks).toString()) === true) end({ ok: true });
      else if (bytes > maxBytes) end({ ok: false, error: 'text missing' });
    });
    socket.once('end', () => {
      if (bytes > 0) end({ ok: false, error: 'text missing' });
    });
  }
}
