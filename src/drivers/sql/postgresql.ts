/**
 * PostgreSQL, directly or through a target's own network. Beside the lab's shop this is the only place that imports pg. It knows servers and
 * statements; nothing of failovers, probes or runs. Values come as pg gives them: bigint and numeric as text.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import pg from 'pg';
import { ChaosError, describeError } from '../../core/errors.ts';
import type { Milliseconds } from '../../core/units.ts';
import type { SqlConnector, SqlEndpoint, SqlRow, SqlSession, TcpDialer } from '../contract.ts';

export const postgresqlConnector: SqlConnector = { connect };

async function connect(
  endpoint: SqlEndpoint,
  options: { readonly timeout: Milliseconds; readonly via?: TcpDialer },
  signal: AbortSignal,
): Promise<SqlSession> {
  signal.throwIfAborted();
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new Error(`no answer within ${options.timeout} ms`)), options.timeout);
  const either = AbortSignal.any([signal, deadline.signal]);
  try {
    const stream = options.via === undefined ? new Socket() : asSocket(await options.via.dial(endpoint.address, endpoint.port, either));
    return await PostgresqlSession.open(endpoint, stream, either);
  } catch (error) {
    signal.throwIfAborted();
    throw sqlError(endpoint, 'cannot connect', error);
  } finally {
    clearTimeout(timer);
  }
}

class PostgresqlSession implements SqlSession {
  readonly lost: Promise<Error>;
  readonly #endpoint: SqlEndpoint;
  readonly #client: pg.Client;
  readonly #stream: Duplex;
  /** Why the connection is going; the first word counts. */
  #failure: Error | undefined;
  #gone = false;
  /** The last query asked for; queries run one after the other. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(endpoint: SqlEndpoint, stream: Duplex) {
    this.#endpoint = endpoint;
    this.#stream = stream;
    this.#client = new pg.Client({
      host: endpoint.address,
      port: endpoint.port,
      database: endpoint.database,
      user: endpoint.user,
      // Without one pg looks where psql does: PGPASSWORD, ~/.pgpass.
      ...(endpoint.password === undefined ? {} : { password: endpoint.password }),
      application_name: endpoint.applicationName,
      ssl: false,
      keepAlive: true,
      stream: () => stream,
    });
    // For life: a server that ends an idle connection reports it as an 'error', which without a listener would end the process.
    this.#client.on('error', (error) => {
      this.#failure ??= error;
    });
    stream.on('error', (error) => {
      this.#failure ??= error;
    });
    this.lost = new Promise((resolve) => {
      stream.once('close', () => {
        this.#gone = true;
        this.#failure ??= new Error('the server closed the connection');
        resolve(sqlError(endpoint, 'connection lost', this.#failure));
      });
    });
  }

  static async open(endpoint: SqlEndpoint, stream: Duplex, signal: AbortSignal): Promise<PostgresqlSession> {
    const session = new PostgresqlSession(endpoint, stream);
    try {
      await session.#unlessAborted(session.#client.connect(), signal);
      return session;
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  query(statement: string, parameters: readonly unknown[], signal: AbortSignal): Promise<readonly SqlRow[]> {
    const answer = this.#last.then(() => this.#query(statement, parameters, signal));
    this.#last = answer.catch(() => undefined);
    // The wait for earlier queries ends at once too when the signal aborts.
    return this.#unlessAborted(answer, signal);
  }

  async #query(statement: string, parameters: readonly unknown[], signal: AbortSignal): Promise<readonly SqlRow[]> {
    signal.throwIfAborted();
    try {
      if (this.#gone) throw this.#failure ?? new Error('the connection is closed');
      // Without parameters the text may hold several statements; the rows are those of the last.
      const result: unknown = await this.#client.query({
        text: statement,
        ...(parameters.length === 0 ? {} : { values: [...parameters] }),
      });
      return rowsOf(result);
    } catch (error) {
      signal.throwIfAborted();
      // pg says only "terminated unexpectedly"; what ended the connection was said before.
      throw sqlError(this.#endpoint, 'statement failed', this.#failure !== undefined && !hasState(error) ? this.#failure : error);
    }
  }

  /** The promise, or the signal's reason as soon as it aborts: the connection is then cut, since a statement under way cannot be taken back. */
  #unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const cut = (): void => {
        this.#failure ??= signal.reason as Error;
        this.#stream.destroy();
        reject(signal.reason as Error);
      };
      if (signal.aborted) cut();
      else signal.addEventListener('abort', cut, { once: true });
      promise.finally(() => signal.removeEventListener('abort', cut)).then(resolve, reject);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#gone) {
      this.#failure ??= new Error('the session is closed');
      // Says goodbye to the server; a server that does not answer is not waited for. Rejections mean it is gone already.
      const polite = this.#client.end().catch(() => undefined);
      const timer = setTimeout(() => this.#stream.destroy(), 500);
      await Promise.race([polite, this.lost]);
      clearTimeout(timer);
      this.#stream.destroy();
    }
    await this.lost;
  }
}

function rowsOf(result: unknown): readonly SqlRow[] {
  const last = (Array.isArray(result) ? result.at(-1) : result) as { readonly rows?: readonly SqlRow[] } | undefined;
  return last?.rows ?? [];
}

/** pg wants a socket: `connect` is already done, and the rest means nothing inside a tunnel. */
function asSocket(tunnel: Duplex): Duplex {
  const same = (): Duplex => tunnel;
  return Object.assign(tunnel, {
    connect: () => {
      process.nextTick(() => tunnel.emit('connect'));
      return tunnel;
    },
    setNoDelay: same,
    setKeepAlive: same,
    ref: same,
    unref: same,
  });
}

function hasState(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && /^[0-9A-Z]{5}$/.test((error as { readonly code?: string }).code ?? '');
}

/** The server's words and its SQLSTATE. The cause is made anew: pg's error carries the statement's detail, and may quote a password. */
function sqlError(endpoint: SqlEndpoint, what: string, error: unknown): ChaosError {
  const place = `${endpoint.address}:${endpoint.port}/${endpoint.database}`;
  const text = redact(describeError(error), endpoint.password);
  const state = hasState(error) ? ` (SQLSTATE ${error.code})` : '';
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return new ChaosError('CHAOS_SQL', `${place}: ${what}: ${text}${state}`, {
    target: place,
    cause: Object.assign(new Error(text), typeof code === 'string' ? { code } : {}),
    ...hintFor(endpoint, code),
  });
}

function redact(text: string, password: string | undefined): string {
  return password === undefined || password === '' ? text : text.replaceAll(password, '…');
}

function hintFor(endpoint: SqlEndpoint, code: unknown): { readonly hint?: string } {
  switch (code) {
    case 'ECONNREFUSED':
      return { hint: `No server listens on ${endpoint.address}:${endpoint.port}. Is it running, and the port right?` };
    case '28P01':
    case '28000':
      return { hint: `The server refuses user ${endpoint.user}: check the password's reference in the environment file, and pg_hba.conf.` };
    case '3D000':
      return { hint: `There is no database ${endpoint.database} on that server.` };
    default:
      return {};
  }
}
