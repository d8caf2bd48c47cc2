/** HTTP targets that behave and misbehave, on free loopback ports. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';

export interface Target extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: () => number;
}

export async function httpTarget(answer: RequestListener, port = 0): Promise<Target> {
  return target(createServer(answer), port);
}

/** A target that speaks, or does not speak, whatever `onSocket` makes it. */
export async function tcpTarget(onSocket: (socket: Socket) => void, port = 0): Promise<Target> {
  return target(
    createTcpServer((socket) => {
      socket.on('error', () => undefined);
      onSocket(socket);
    }),
    port,
  );
}

async function target(server: Server | TcpServer, port: number): Promise<Target> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}/`,
    connections: () => connections,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A port on which nothing listens. */
export async function closedPort(): Promise<number> {
  const taken = await tcpTarget(() => undefined);
  await taken[Symbol.asyncDispose]();
  return taken.port;
}
