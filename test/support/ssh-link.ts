/** A TCP link that can be cut, or go silent as when packets are dropped. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Link extends AsyncDisposable {
  readonly port: number;
  /** How many connections there are now. */
  open(): number;
  /** Ends both sides of every connection at once. */
  cut(): void;
  /** Both sides stay open and hear nothing more. */
  freeze(): void;
}

export async function startLink(toPort: number): Promise<Link> {
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: toPort, host: '127.0.0.1', noDelay: true });
    const pair = [near, far] as const;
    pairs.add(pair);
    const drop = (): void => {
      near.destroy();
      far.destroy();
      pairs.delete(pair);
    };
    for (const socket of pair) socket.on('error', drop).once('close', drop);
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const each = (act: (socket: Socket) => unknown): void => {
    for (const pair of pairs) pair.forEach(act);
  };
  return {
    port: address !== null && typeof address === 'object' ? address.port : 0,
    open: () => pairs.size,
    cut: () => each((socket) => socket.destroy()),
    freeze: () => each((socket) => socket.unpipe().pause()),
    async [Symbol.asyncDispose]() {
      each((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}
