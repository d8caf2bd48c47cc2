/**
 * The shop's front door: round robin over the checkout services. It asks each for its health four times a second, and passes a request on to the
 * next one only when the first could not even be connected to: a request that may have arrived is never sent twice.
 */
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod';
import { runChildProgram, writePidFile } from './child-program.ts';
import { readBody, reply, serve } from './http.ts';

const Backend = z.strictObject({ name: z.string(), address: z.string(), port: z.int() });
type Backend = z.infer<typeof Backend>;

export const BalancerSettings = z.strictObject({ port: z.int(), pidFile: z.string(), backends: z.array(Backend) });
export type BalancerSettings = z.infer<typeof BalancerSettings>;

interface Forwarded {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

const healthIntervalMs = 250;
const healthTimeoutMs = 400;
/** Longer than a checkout's own limit, so that its answer is the one the customer sees. */
const answerTimeoutMs = 2_000;

runChildProgram(BalancerSettings, async (settings) => {
  const down = new Set<string>();
  let turn = 0;
  await serve(settings.port, async (request, response) => {
    if (request.url === '/healthz') return reportHealth(settings.backends, down, response);
    const body = await readBody(request, 64 * 1024);
    if (body === undefined) return reply(response, 413, { error: 'too long' });
    const forwarded = { method: request.method ?? 'GET', url: request.url ?? '/', headers: request.headers, body };
    await forward(inTurn(settings.backends, down, turn++), forwarded, response);
  });
  setInterval(() => {
    for (const backend of settings.backends) checkHealth(backend, down);
  }, healthIntervalMs);
  writePidFile(settings.pidFile);
});

/** All backends, this turn's first; those known to be down at the end: better a last try than an error of our own. */
function inTurn(backends: readonly Backend[], down: ReadonlySet<string>, turn: number): Backend[] {
  const start = turn % backends.length;
  const rotated = [...backends.slice(start), ...backends.slice(0, start)];
  return [...rotated.filter((one) => !down.has(one.name)), ...rotated.filter((one) => down.has(one.name))];
}

async function forward(backends: readonly Backend[], forwarded: Forwarded, response: ServerResponse): Promise<void> {
  for (const backend of backends) {
    const ended = await tryBackend(backend, forwarded, response);
    if (ended !== 'not-connected') return;
  }
  reply(response, 502, { error: 'no checkout service can be reached' });
}

function tryBackend(backend: Backend, forwarded: Forwarded, response: ServerResponse): Promise<'answered' | 'not-connected'> {
  return new Promise((resolve) => {
    let connected = false;
    const upstream = httpRequest({
      host: backend.address,
      port: backend.port,
      method: forwarded.method,
      path: forwarded.url,
      headers: { ...endToEnd(forwarded.headers), 'content-length': forwarded.body.length },
      // A connection of its own for each request: on one used before, nobody could tell whether a request had arrived.
      agent: false,
    });
    // The first to settle wins: destroying the request below raises its own `error`.
    const settle = (status: number, error: string): void => {
      clearTimeout(timer);
      if (response.headersSent) response.destroy();
      else reply(response, status, { error, service: backend.name });
      upstream.removeAllListeners('error').on('error', () => undefined);
      upstream.destroy();
      resolve('answered');
    };
    const timer = setTimeout(() => settle(504, 'no answer in time'), answerTimeoutMs);
    upstream.on('socket', (socket) => socket.once('connect', () => (connected = true)));
    upstream.on('error', () => {
      if (connected) return settle(502, 'connection lost');
      clearTimeout(timer);
      resolve('not-connected');
    });
    upstream.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
      pipeline(answer, response).then(
        () => resolve('answered'),
        () => resolve('answered'),
      );
      answer.once('close', () => clearTimeout(timer));
    });
    upstream.end(forwarded.body);
  });
}

/** Without the headers that speak of one connection only (RFC 9110, 7.6.1). */
function endToEnd(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const { connection: _connection, 'keep-alive': _keepAlive, 'transfer-encoding': _encoding, ...rest } = headers;
  return rest;
}

function checkHealth(backend: Backend, down: Set<string>): void {
  const probe = httpRequest({ host: backend.address, port: backend.port, path: '/healthz', agent: false, timeout: healthTimeoutMs });
  probe.on('timeout', () => probe.destroy(new Error('timeout')));
  probe.on('error', () => down.add(backend.name));
  probe.on('response', (answer) => {
    answer.resume();
    if (answer.statusCode === 200) down.delete(backend.name);
    else down.add(backend.name);
  });
  probe.end();
}

function reportHealth(backends: readonly Backend[], down: ReadonlySet<string>, response: ServerResponse): void {
  const states = Object.fromEntries(backends.map((one) => [one.name, down.has(one.name) ? 'down' : 'up']));
  reply(response, down.size < backends.length ? 200 : 503, { status: down.size < backends.length ? 'ok' : 'down', backends: states });
}
