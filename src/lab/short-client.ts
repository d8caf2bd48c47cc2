/** One short conversation with a PostgreSQL server that may hang at any point, without leaving a socket behind. */
import { Socket } from 'node:net';
import pg from 'pg';

/** Connecting and every query are bounded by `timeoutMs` each. Rejects with what pg says. */
export async function withClient<T>(config: pg.ClientConfig, timeoutMs: number, work: (client: pg.Client) => Promise<T>): Promise<T> {
  // Our own socket: pg's `end()` waits for the server to hang up, which a stopped one never does.
  const socket = new Socket();
  const client = new pg.Client({ ...config, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs, stream: () => socket });
  // A server that dies while we talk to it also fails the query; the event needs a listener or it ends the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    socket.destroy();
  }
}
