/**
 * A checkout service of the practice shop: `POST /checkout` sells something, `GET /healthz` says whether this process lives (not whether
 * the database does: else the loss of one primary would take every checkout out of the load balancer).
 */
import { randomInt, randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';
import { runChildProgram, writePidFile } from './child-program.ts';
import { readBody, reply, serve } from './http.ts';
import { OrderRefused, OrdersClient } from './orders-client.ts';

export const CheckoutSettings = z.strictObject({
  name: z.string(),
  port: z.int(),
  pidFile: z.string(),
  /** Milliseconds a customer waits at most. */
  budgetMs: z.number(),
  orders: z.strictObject({
    nodes: z.array(z.strictObject({ name: z.string(), address: z.string(), port: z.int() })),
    database: z.string(),
    user: z.string(),
    password: z.string(),
    connections: z.int(),
  }),
});
export type CheckoutSettings = z.infer<typeof CheckoutSettings>;

const never = new AbortController().signal;

runChildProgram(CheckoutSettings, async (settings) => {
  const orders = new OrdersClient({ ...settings.orders, applicationName: settings.name });
  const told = tellChanges();
  await serve(settings.port, (request, response) => handle({ settings, orders, told }, request, response));
  writePidFile(settings.pidFile);
});

interface Checkout {
  readonly settings: CheckoutSettings;
  readonly orders: OrdersClient;
  /** Tells the log how selling goes. */
  readonly told: (how: string) => void;
}

async function handle(checkout: Checkout, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { name } = checkout.settings;
  const path = request.url?.split('?')[0];
  if (path === '/healthz') return reply(response, 200, { status: 'ok', service: name, pid: process.pid });
  if (path !== '/checkout') return reply(response, 404, { error: 'not found' });
  if (request.method !== 'POST') return reply(response, 405, { error: 'POST sells' });
  if ((await readBody(request, 64 * 1024)) === undefined) return reply(response, 413, { error: 'too long' });
  const order = { id: randomUUID(), servedBy: name, amountCents: randomInt(100, 20_000) };
  try {
    const database = await checkout.orders.insert(order, checkout.settings.budgetMs, never);
    checkout.told(`selling, orders go to ${database}`);
    reply(response, 201, { order: order.id, service: name, database });
  } catch (error) {
    if (!(error instanceof OrderRefused)) throw error;
    checkout.told(`not selling: ${error.message}`);
    reply(response, 503, { error: error.message, service: name });
  }
}

/** Changes only: a line for each refused order would fill the disk in a long outage. */
function tellChanges(): (how: string) => void {
  let last: string | undefined;
  return (how) => {
    if (how !== last) process.stdout.write(`${new Date().toISOString()} ${how}\n`);
    last = how;
  };
}
