/**
 * A way from one lab host to a port of another: a TCP proxy on loopback. It listens only while somebody listens behind it: a client has to
 * be able to tell "not connected", after which it may ask another, from "lost".
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { loopback } from '../layout.ts';
import type { HostNetwork } from './host-network.ts';
import { pipeShaped } from './pipe.ts';
import type { Packet } from './qdisc.ts';

export interface LinkOptions {
  /** Where the client's host finds the other one. */
  readonly port: number;
  /** Where the other one really listens. */
  readonly target: number;
  readonly client: HostNetwork;
  readonly server: HostNetwork;
  /** Keeps an idle connection to the target, so that its end is known at once; not for servers to whom a connection costs much. */
  readonly watched: boolean;
  readonly random?: () => number;
}

const lookMs = 50;

/** Opens it; it listens as soon as the target does. */
export class Link implements AsyncDisposable {
  readonly #options: LinkOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #looking = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const server = this.#server;
    this.#stopListening();
    for (const socket of this.#sockets) socket.destroy();
    if (server?.listening === true) await new Promise((resolve) => server.once('close', resolve));
  }

  /** Asks the target until it answers, then listens; a watched one keeps the connection that asked. */
  #look(): void {
    clearTimeout(this.#timer);
    // Many clients may find the target gone at once; one of us asks.
    if (this.#closed || this.#looking) return;
    this.#looking = true;
    const asked = this.#track(connect({ host: loopback, port: this.#options.target }));
    let answered = false;
    asked.once('connect', () => {
      answered = true;
      this.#listen();
      if (!this.#options.watched) asked.destroy();
    });
    asked.resume();
    asked.once('close', () => {
      this.#looking = false;
      if (answered && !this.#options.watched) return;
      // A server also ends a connection that says nothing: only one that cannot be opened again tells that it is gone.
      if (!answered) this.#stopListening();
      this.#timer = setTimeout(() => this.#look(), answered ? 0 : lookMs);
    });
  }

  #listen(): void {
    if (this.#closed || this.#server !== undefined) return;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => this.#accept(client));
    server.on('error', () => {
      this.#server = undefined;
      this.#timer = setTimeout(() => this.#look(), lookMs);
    });
    server.listen({ port: this.#options.port, host: loopback });
    this.#server = server;
  }

  #stopListening(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  #accept(client: Socket): void {
    this.#track(client);
    const { client: near, server: far } = this.#options;
    // Both directions of the handshake; what is lost of it is left to the data that follows.
    const handshake = (near.shape(this.#packet('there'))?.delay ?? 0) + (far.shape(this.#packet('back'))?.delay ?? 0);
    if (handshake === 0) this.#join(client);
    else setTimeout(() => this.#join(client), handshake);
  }

  #join(client: Socket): void {
    if (client.destroyed) return;
    const { client: near, server: far, target, random = Math.random } = this.#options;
    const server = this.#track(connect({ host: loopback, port: target, allowHalfOpen: true, noDelay: true }));
    let connected = false;
    server.once('connect', () => {
      connected = true;
      const there = this.#packet('there');
      const back = this.#packet('back');
      pipeShaped(client, server, { shape: () => near.shape(there), count: (bytes, what) => near.count(bytes, what), random });
      pipeShaped(server, client, { shape: () => far.shape(back), count: (bytes, what) => far.count(bytes, what), random });
      client.resume();
    });
    server.once('error', () => client.resetAndDestroy());
    server.once('close', () => {
      client.destroySoon();
      if (connected || this.#closed) return;
      this.#stopListening();
      this.#look();
    });
    client.once('error', () => server.resetAndDestroy());
    client.once('close', () => server.destroySoon());
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }

  /** As `tc` on the host it leaves would see it: the port that the target really listens on, and one of the client's that nobody can name. */
  #packet(way: 'there' | 'back'): Packet {
    const { target } = this.#options;
    const ports = way === 'there' ? { sport: 0, dport: target } : { sport: target, dport: 0 };
    return { source: loopback, destination: loopback, ...ports };
  }
}
