/** The query, on sessions that are kept as long as they answer. They are few: a probe that takes up the last connection is itself the fault. */
import type { SqlRow, SqlSession } from '../../drivers/contract.ts';
import type { DatabaseNode } from '../../plan/plan.ts';
import type { Client, Reading } from '../asking.ts';
import { sampleError } from '../errors.ts';
import { type Found, readingOf } from '../json-api.ts';
import { type ClusterAccess, giveBack, openNode } from '../postgres-nodes.ts';
import type { Slot } from '../schedule.ts';
import { Turns } from './turns.ts';

export interface ReaderOptions {
  /** `answerMs`: how long a session is given to close. */
  readonly access: ClusterAccess;
  readonly timeoutMs: number;
  readonly applicationName: string;
  readonly query: string;
  /** Only the node that is not in recovery will do. */
  readonly primaryOnly: boolean;
  /** Most sessions at a time. */
  readonly connections: number;
  /** Run time, ms. */
  now(): number;
}

const noPrimary = 'no primary';
/** A query whose session was cut goes on in the server, which ends it this much after the timeout; nor does connecting end before that. */
const graceMs = 200;

export class NumberReader implements Client {
  readonly #options: ReaderOptions;
  readonly #turns: Turns;
  readonly #idle: SqlSession[] = [];
  readonly #closing = new AbortController();

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#turns = new Turns(options.connections);
  }

  async ask({ signal }: Slot): Promise<Reading> {
    await this.#turns.take(signal);
    const sent = this.#options.now();
    try {
      return { ...(await this.#read(signal)), sent };
    } catch (error) {
      return { ok: false, error: error instanceof NoPrimaryError ? noPrimary : sampleError(error, 'connection lost'), sent };
    } finally {
      if (signal.aborted) this.#giveLater(sent);
      else this.#turns.give();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#idle.splice(0).map((session) => giveBack(this.#options.access, session)));
  }

  /** Once the server has ended what was cut: else each query that hangs would leave one more session behind. */
  #giveLater(sent: number): void {
    const { access, timeoutMs, now } = this.#options;
    const waiting = access.clock.sleep(Math.max(0, sent + timeoutMs + 2 * graceMs - now()), this.#closing.signal);
    // Rejects only when the probe is closed.
    void waiting.catch(() => undefined).then(() => this.#turns.give());
  }

  async #read(signal: AbortSignal): Promise<Reading> {
    const session = this.#idle.pop() ?? (await this.#open(signal));
    try {
      // Since the session was opened its server may have become a standby, or the other way round.
      if (this.#options.primaryOnly && (await inRecovery(session, signal))) throw new NoPrimaryError();
      const rows = await session.query(this.#options.query, [], signal);
      this.#idle.push(session);
      return readingOf(numberOf(rows));
    } catch (error) {
      // A mistake in the query leaves the session as it was; never rejects.
      void giveBack(this.#options.access, session);
      throw error;
    }
  }

  /** The first node that will do; the others are let go. */
  async #open(signal: AbortSignal): Promise<SqlSession> {
    let chosen = false;
    const attempts = this.#options.access.cluster.nodes.map(async (node) => {
      const session = await this.#openNode(node, signal);
      if (!chosen) {
        chosen = true;
        return session;
      }
      await giveBack(this.#options.access, session);
      throw new NoPrimaryError();
    });
    try {
      return await Promise.any(attempts);
    } catch (error) {
      if (!(error instanceof AggregateError)) throw error;
      // What keeps the primary from answering says more than that the others are standbys.
      throw error.errors.find((one) => !(one instanceof NoPrimaryError)) ?? new NoPrimaryError();
    }
  }

  async #openNode(node: DatabaseNode, signal: AbortSignal): Promise<SqlSession> {
    const { access, applicationName, primaryOnly, timeoutMs } = this.#options;
    const limitMs = timeoutMs + graceMs;
    const session = await openNode({ ...access, answerMs: limitMs }, node, applicationName, signal);
    try {
      if (primaryOnly && (await inRecovery(session, signal))) throw new NoPrimaryError();
      await session.query(`SET default_transaction_read_only = on; SET statement_timeout = ${limitMs}`, [], signal);
      return session;
    } catch (error) {
      await giveBack(access, session);
      throw error;
    }
  }
}

/** Where a primary was needed, only standbys answered. */
class NoPrimaryError extends Error {}

async function inRecovery(session: SqlSession, signal: AbortSignal): Promise<boolean> {
  const [row] = await session.query('SELECT pg_is_in_recovery() AS standby', [], signal);
  return row?.standby === true;
}

/** bigint and numeric come as text, so that no digit is lost before this. */
function numberOf(rows: readonly SqlRow[]): Found {
  const [row, ...others] = rows;
  if (row === undefined) return 'empty result';
  const [value, ...more] = Object.values(row);
  if (others.length > 0) return 'several rows';
  if (more.length > 0) return 'several columns';
  if (value === null || value === undefined) return 'empty result';
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') return value;
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : 'not a number';
}
