/**
 * How a checkout service writes: to whichever node is the primary now. It asks the nodes themselves (`pg_is_in_recovery()`), keeps the answer
 * until a write fails, and then looks again. An order's id is made before the first try, so trying again can never sell twice on one server.
 */
import pg from 'pg';
import { systemClock } from '../core/clock.ts';
import { withClient } from './short-client.ts';

export interface OrderNode {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

export interface OrdersOptions {
  readonly nodes: readonly OrderNode[];
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly applicationName: string;
  /** Connections to each node at most; one stays taken until its statement has ended, however long that hangs. */
  readonly connections: number;
}

export interface Order {
  readonly id: string;
  readonly servedBy: string;
  readonly amountCents: number;
}

/** Why an order was not taken: short, fit for a customer's 503. */
export class OrderRefused extends Error {
  override readonly name = 'OrderRefused';
}

const lookMs = 250;
const pauseMs = 50;
const insert = 'INSERT INTO orders (id, served_by, amount_cents) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING';

export class OrdersClient implements AsyncDisposable {
  readonly #options: OrdersOptions;
  readonly #pools: ReadonlyMap<string, pg.Pool>;
  #writable: Promise<OrderNode | undefined> | undefined;

  constructor(options: OrdersOptions) {
    this.#options = options;
    this.#pools = new Map(options.nodes.map((node) => [node.name, this.#createPool(node)]));
  }

  /** Writes the order; gives the node that took it. Rejects with {@link OrderRefused} when `budgetMs` is over. */
  async insert(order: Order, budgetMs: number, signal: AbortSignal): Promise<string> {
    const deadline = systemClock.monotonic() + budgetMs;
    let reason = 'no writable database';
    for (;;) {
      const left = deadline - systemClock.monotonic();
      if (left <= 0) throw new OrderRefused(reason);
      const attempt = await within(left, this.#attempt(order));
      if (attempt === undefined) this.#writable = undefined;
      if (attempt === undefined) throw new OrderRefused('the database did not answer in time');
      if (attempt.node !== undefined) return attempt.node;
      reason = attempt.reason;
      await systemClock.sleep(Math.max(0, Math.min(pauseMs, deadline - systemClock.monotonic())), signal);
    }
  }

  /** Never rejects: it may be left alone when the budget is over, and gives its connection back by itself. */
  async #attempt(order: Order): Promise<{ readonly node: string } | { readonly node: undefined; readonly reason: string }> {
    this.#writable ??= this.#findWritable();
    const node = await this.#writable;
    const pool = node === undefined ? undefined : this.#pools.get(node.name);
    if (node === undefined || pool === undefined) {
      this.#writable = undefined;
      return { node: undefined, reason: 'no writable database' };
    }
    try {
      const client = await pool.connect();
      try {
        await client.query(insert, [order.id, order.servedBy, order.amountCents]);
        client.release();
      } catch (error) {
        client.release(true);
        throw error;
      }
      return { node: node.name };
    } catch (error) {
      this.#writable = undefined;
      return { node: undefined, reason: `${node.name}: ${shortReason(error)}` };
    }
  }

  async #findWritable(): Promise<OrderNode | undefined> {
    try {
      return await Promise.any(this.#options.nodes.map((node) => this.#requireWritable(node)));
    } catch {
      return undefined;
    }
  }

  #requireWritable(node: OrderNode): Promise<OrderNode> {
    return withClient(this.#connection(node), lookMs, async (client) => {
      const result: pg.QueryResult<{ standby: boolean }> = await client.query('SELECT pg_is_in_recovery() AS standby');
      if (result.rows[0]?.standby !== false) throw new OrderRefused(`${node.name} is a standby`);
      return node;
    });
  }

  #connection(node: OrderNode): pg.ClientConfig {
    const { database, user, password, applicationName } = this.#options;
    return { host: node.address, port: node.port, database, user, password, application_name: applicationName };
  }

  #createPool(node: OrderNode): pg.Pool {
    const pool = new pg.Pool({ ...this.#connection(node), max: this.#options.connections, connectionTimeoutMillis: 500 });
    // An idle connection that breaks is dropped by the pool; without a listener it would end the process.
    pool.on('error', () => undefined);
    return pool;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#pools.values()].map((pool) => pool.end()));
  }
}

/** `undefined` when `ms` pass first; the loser is left to end by itself. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function shortReason(error: unknown): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return typeof code === 'string' ? code : String(message);
}
