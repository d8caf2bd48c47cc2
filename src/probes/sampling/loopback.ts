/**
 * A control probe: a connection to ourselves. When that fails, the prober is at its own end (file descriptors, ports, memory, a kernel
 * that has no time) and says nothing about anybody else.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { sampleError } from '../errors.ts';

const everyMs = 250;
/** An echo through one kernel takes some 0.1 ms. */
const withinMs = 500;

/** Calls back whenever it changes: with what went wrong, or with `undefined` when it is well again. Rejects when not even a server can be had. */
export async function startLoopback(onChange: (problem: string | undefined) => void): Promise<AsyncDisposable> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  let before: string | undefined;
  const timer = setInterval(() => {
    void echo(port).then((problem) => {
      if (problem !== before) onChange(problem);
      before = problem;
    });
  }, everyMs);
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      clearInterval(timer);
      server.close();
      await once(server, 'close');
    },
  };
}

/** What went wrong. */
function echo(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const end = (problem: string | undefined): void => {
      clearTimeout(timer);
      // Not closed in order: that would leave a port behind for a minute, each time.
      socket.resetAndDestroy();
      resolve(problem);
    };
    const timer = setTimeout(() => end(`no echo within ${withinMs} ms`), withinMs);
    socket.on('error', (error) => end(sampleError(error)));
    socket.once('data', () => end(undefined));
    socket.write('.');
  });
}
