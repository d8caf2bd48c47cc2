/** A link of the lab with real sockets: what `tc` asks for is what a client at its end sees. */
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CleanupStack } from '../../../src/core/cleanup-stack.ts';
import { HostNetwork, networkFiles } from '../../../src/lab/network/host-network.ts';
import { Link } from '../../../src/lab/network/link.ts';
import { readCounts, type Shape, writeQdiscs } from '../../../src/lab/network/qdisc.ts';
import { findPorts } from '../../../src/lab/ports.ts';

let dir: string;
let cleanup: CleanupStack;
let port: number;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lab-link-'));
  for (const side of ['client', 'server']) mkdirSync(join(dir, side));
  cleanup = new CleanupStack();
  port = await findPorts();
});
afterEach(async () => {
  await cleanup[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true });
});

/** Gives back what it gets, and ends when its client does; disposed of as a process that is killed. */
async function startEcho(): Promise<AsyncDisposable> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.listen(port + 1, '127.0.0.1');
  await once(server, 'listening');
  return cleanup.use({
    [Symbol.asyncDispose]: async () => {
      const ended = server.listening ? once(server, 'close') : undefined;
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await ended;
    },
  });
}

async function closed(socket: Socket): Promise<boolean> {
  await vi.waitFor(() => expect(socket.closed).toBe(true));
  return true;
}

async function openLink({ watched = false } = {}): Promise<void> {
  const [client, server] = [new HostNetwork(join(dir, 'client')), new HostNetwork(join(dir, 'server'))];
  cleanup.use(new Link({ port, target: port + 1, client, server, watched }));
  await expect.poll(canConnect, { interval: 20 }).toBe(true);
}

function shape(side: 'client' | 'server', change: Partial<Shape> | undefined): void {
  const qdisc = { kind: 'netem', handle: '1:', parent: 'root', options: '', shape: { delay: 0, jitter: 0, loss: 0, ...change } } as const;
  writeQdiscs(networkFiles(join(dir, side)).qdiscs, { qdiscs: change === undefined ? [] : [qdisc], filters: [] });
}

/** Longer than a link takes to see what `tc` changed. */
const noticed = (): Promise<void> => sleep(40);

async function canConnect(): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const answer = await Promise.race([once(socket, 'connect').then(() => true), once(socket, 'error').then(() => false)]).catch(() => false);
  socket.on('error', () => undefined).destroy();
  return answer;
}

/** Opens a connection that is warm: its handshake is over. */
async function open(): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined);
  cleanup.defer(() => socket.destroy());
  await roundTrip(socket, 'first');
  return socket;
}

/** ms until the text is back. */
async function roundTrip(socket: Socket, text: string | Buffer): Promise<number> {
  const from = performance.now();
  let left = text.length;
  const back = new Promise<void>((resolve, reject) => {
    const take = (chunk: Buffer): void => {
      left -= chunk.length;
      if (left > 0) return;
      socket.off('data', take);
      resolve();
    };
    socket.on('data', take);
    socket.once('close', () => reject(new Error('closed')));
  });
  socket.write(text);
  await back;
  return performance.now() - from;
}

describe('a link', () => {
  test('adds the delay of the host that sends, and none any more when it is taken back', async () => {
    await startEcho();
    await openLink();
    const socket = await open();

    const before = await roundTrip(socket, 'x');
    shape('client', { delay: 80 });
    await noticed();
    const out = await roundTrip(socket, 'x');
    shape('server', { delay: 50 });
    await noticed();
    const both = await roundTrip(socket, 'x');
    shape('client', undefined);
    shape('server', undefined);
    await noticed();
    const after = await roundTrip(socket, 'x');

    expect(before).toBeLessThan(60);
    expect(out).toBeGreaterThanOrEqual(79);
    expect(both).toBeGreaterThanOrEqual(129);
    expect(after).toBeLessThan(60);
    expect(readCounts(networkFiles(join(dir, 'client')).counts)?.packets).toBeGreaterThan(0);
  });

  test('holds the handshake up too, so a new connection costs what it costs elsewhere', async () => {
    await startEcho();
    await openLink();
    shape('client', { delay: 60 });
    await noticed();
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    cleanup.defer(() => socket.destroy());

    expect(await roundTrip(socket, 'x')).toBeGreaterThanOrEqual(118);
  });

  test('holds a rate, keeps the order and loses nothing', async () => {
    await startEcho();
    await openLink();
    const socket = await open();
    shape('client', { rate: 200_000, jitter: 5, delay: 5 });
    await noticed();
    const sent = Buffer.alloc(100_000, '0123456789');
    const got: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => got.push(chunk));

    const ms = await roundTrip(socket, sent);

    expect(ms).toBeGreaterThan(400);
    expect(ms).toBeLessThan(1_500);
    expect(Buffer.concat(got).equals(sent)).toBe(true);
  });

  test('carries more than it holds back, to a reader that pauses', async () => {
    await startEcho();
    await openLink();
    const socket = await open();
    shape('client', { delay: 20 });
    await noticed();
    const back = roundTrip(socket, Buffer.alloc(8 << 20));
    socket.pause();
    await sleep(200);
    socket.resume();

    expect(await back).toBeLessThan(10_000);
  });

  test('goes on when what its host keeps there cannot be read', async () => {
    await startEcho();
    await openLink();
    const socket = await open();
    const { qdiscs } = networkFiles(join(dir, 'client'));
    symlinkSync(qdiscs, qdiscs);
    await noticed();

    expect(await roundTrip(socket, 'x')).toBeLessThan(100);
  });

  test('lets nothing through while everything is lost, and delivers it afterwards, as TCP does', async () => {
    await startEcho();
    await openLink();
    const socket = await open();
    shape('client', { loss: 1 });
    await noticed();

    const back = roundTrip(socket, 'x');
    const early = await Promise.race([back, sleep(500, 'nothing')]);
    shape('client', undefined);

    expect(early).toBe('nothing');
    expect(await back).toBeLessThan(5_000);
  });

  test.each([true, false])('refuses connections once its target is gone, and takes them when it is back (watched: %s)', async (watched) => {
    const first = await startEcho();
    await openLink({ watched });
    const socket = await open();

    await first[Symbol.asyncDispose]();
    // An unwatched one learns it from the first that asks.
    if (!watched) await closed(connect(port, '127.0.0.1').on('error', () => undefined));
    const gone = await closed(socket);
    await expect.poll(canConnect, { interval: 20, timeout: 1_000 }).toBe(false);
    await startEcho();
    await expect.poll(canConnect, { interval: 20, timeout: 3_000 }).toBe(true);

    expect(gone).toBe(true);
  });

  test('does not follow a link that was laid where the host keeps its disciplines', async () => {
    await startEcho();
    await openLink();
    const socket = await open();
    shape('server', { delay: 150 });
    symlinkSync(networkFiles(join(dir, 'server')).qdiscs, networkFiles(join(dir, 'client')).qdiscs);
    await noticed();

    // One way only.
    expect(await roundTrip(socket, 'x')).toBeLessThan(250);
  });
});
