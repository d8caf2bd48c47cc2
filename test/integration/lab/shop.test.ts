import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CleanupStack } from '../../../src/core/cleanup-stack.ts';
import { findPorts } from '../../../src/lab/ports.ts';
import { type BuiltLab, buildLab } from '../../support/lab-build.ts';

let built: BuiltLab;
let dir: string;
beforeAll(async () => {
  built = await buildLab();
  dir = mkdtempSync(join(tmpdir(), 'lab-shop-'));
});
afterAll(async () => {
  if (dir !== undefined) rmSync(dir, { recursive: true });
  await built?.[Symbol.asyncDispose]();
});

async function startProgram(cleanup: CleanupStack, name: string, settings: { readonly port: number }): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(built.folder, 'lab', `${name}.js`)], { stdio: ['pipe', 'inherit', 'inherit'] });
  cleanup.defer(() => child.kill('SIGKILL'));
  child.stdin?.write(`${JSON.stringify({ ...settings, pidFile: join(dir, `${name}.pid`) })}\n`);
  const ready = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${settings.port}/healthz`).then(
      () => true,
      () => false,
    );
  await expect.poll(ready, { timeout: 5_000 }).toBe(true);
  return child;
}

interface Backend {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

async function backend(
  cleanup: CleanupStack,
  name: string,
  sell: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Backend> {
  const server: Server = createServer((request, response) => {
    if (request.url === '/healthz') response.end('ok');
    else sell(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.defer(() => server.closeAllConnections());
  cleanup.defer(() => server.close());
  return { name, address: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

async function closedPort(): Promise<Backend> {
  return { name: 'closed', address: '127.0.0.1', port: (await findPorts()) + 1 };
}

async function post(port: number, body = '{"basket":1}'): Promise<{ readonly status: number; readonly text: string; readonly ms: number }> {
  const started = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/checkout`, { method: 'POST', body });
  return { status: response.status, text: await response.text(), ms: performance.now() - started };
}

describe('the load balancer', () => {
  test('passes requests on whole, in turns', async () => {
    await using cleanup = new CleanupStack();
    const echo = (name: string) => (request: IncomingMessage, response: ServerResponse) => {
      response.statusCode = 201;
      response.write(`${name} ${request.method} `);
      request.pipe(response);
    };
    const port = await findPorts();
    const backends = [await backend(cleanup, 'one', echo('one')), await backend(cleanup, 'two', echo('two'))];
    await startProgram(cleanup, 'load-balancer', { port, backends } as { readonly port: number });

    const answers = [await post(port), await post(port)].map((answer) => `${answer.status} ${answer.text}`);

    expect(answers).toEqual(['201 one POST {"basket":1}', '201 two POST {"basket":1}']);
  });

  test('takes the other backend when the first cannot be connected to', async () => {
    await using cleanup = new CleanupStack();
    const port = await findPorts();
    const backends = [await closedPort(), await backend(cleanup, 'two', (_request, response) => response.end('sold'))];
    await startProgram(cleanup, 'load-balancer', { port, backends } as { readonly port: number });

    const answers = [await post(port), await post(port), await post(port)];

    expect(answers.map((answer) => answer.text)).toEqual(['sold', 'sold', 'sold']);
  });

  test('never sends a request twice that may have arrived', async () => {
    await using cleanup = new CleanupStack();
    const port = await findPorts();
    let sent = 0;
    const cut = (request: IncomingMessage): void => {
      sent++;
      request.socket.destroy();
    };
    const backends = [await backend(cleanup, 'one', cut), await backend(cleanup, 'two', cut)];
    await startProgram(cleanup, 'load-balancer', { port, backends } as { readonly port: number });

    const answer = await post(port);

    expect(answer.status).toBe(502);
    expect(sent).toBe(1);
  });

  test('answers 504 for a backend that hangs, and leaves it out once its health check fails', async () => {
    await using cleanup = new CleanupStack();
    const port = await findPorts();
    const hung = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    await once(hung, 'listening');
    cleanup.defer(() => hung.close());
    const backends = [
      { name: 'hung', address: '127.0.0.1', port: (hung.address() as AddressInfo).port },
      await backend(cleanup, 'two', (_request, response) => response.end('sold')),
    ];
    await startProgram(cleanup, 'load-balancer', { port, backends } as { readonly port: number });

    const first = await post(port);
    const later = [await post(port), await post(port)];

    expect(first.status).toBe(504);
    expect(first.ms).toBeLessThan(4_000);
    expect(later.map((answer) => answer.text)).toEqual(['sold', 'sold']);
  });

  test('refuses a body that is too long, and says so when nothing can be reached', async () => {
    await using cleanup = new CleanupStack();
    const port = await findPorts();
    await startProgram(cleanup, 'load-balancer', { port, backends: [await closedPort()] } as { readonly port: number });

    expect((await post(port, 'x'.repeat(100_000))).status).toBe(413);
    expect(await post(port)).toMatchObject({ status: 502, text: expect.stringContaining('no checkout service') });
  });
});

describe('a checkout service', () => {
  test('refuses within its second when there is no database, and stays healthy itself', async () => {
    await using cleanup = new CleanupStack();
    const port = await findPorts();
    const hung = createTcpServer(() => undefined).listen(0, '127.0.0.1');
    await once(hung, 'listening');
    cleanup.defer(() => hung.close());
    const nodes = [await closedPort(), { name: 'hung', address: '127.0.0.1', port: (hung.address() as AddressInfo).port }];
    const orders = { nodes, database: 'shop', user: 'shop', password: 'x', connections: 2 };
    const settings = { name: 'checkout-1', port, budgetMs: 1_000, orders };
    await startProgram(cleanup, 'checkout-service', settings);

    const answers = await Promise.all(Array.from({ length: 10 }, () => post(port)));

    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(answer.ms).toBeLessThan(2_500);
      expect(answer.text).toContain('database');
    }
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/checkout`)).status).toBe(405);
  });

  test.each(['load-balancer', 'checkout-service'])('the %s ends when its keeper is gone', async (name) => {
    await using cleanup = new CleanupStack();
    const port = await findPorts();
    const orders = { nodes: [await closedPort()], database: 'shop', user: 'shop', password: 'x', connections: 2 };
    const own = name === 'load-balancer' ? { backends: [await closedPort()] } : { name: 'checkout-1', budgetMs: 1_000, orders };
    const child = await startProgram(cleanup, name, { port, ...own });

    child.stdin?.end();

    expect((await once(child, 'exit'))[0]).toBe(0);
  });
});
