/**
 * The ledger's connections. Each finds the writable node by itself and finds it again after any error. A write takes the connection that
 * has been idle longest; while all are busy it waits; while there is no writable node it fails at once, as it would in a service.
 */
import { setMaxListeners } from 'node:events';
import type { SqlSession } from '../../drivers/contract.ts';
import { sampleError } from '../errors.ts';
import { type ClusterAccess, findWritable, giveBack, type WritableNode } from '../postgres-nodes.ts';
import type { Attempt, Slot } from '../schedule.ts';
import { endSessions, ensureTable, insertRow, removeOldRows } from './table.ts';

export interface WriterOptions {
  readonly access: ClusterAccess;
  readonly connections: number;
  /** Marks the rows. */
  readonly run: string;
  /** Application names begin with it and go on with the connection's number. */
  readonly sessionPrefix: string;
  /** Run time, ms. */
  now(): number;
}

interface Connection extends WritableNode {
  /** Takes it out of use and has its lane look for a new one. */
  drop(): void;
}

type Waiter = (got: Connection | string) => void;

export class Writers {
  readonly #options: WriterOptions;
  readonly #closing = new AbortController();
  readonly #lanes: readonly Promise<void>[];
  readonly #live = new Set<Connection>();
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<Waiter>();
  /** Why there is no writable node; `undefined` while that is not known. */
  #refusal: string | undefined;
  #tidied = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    // One listener a lane.
    setMaxListeners(options.connections + 1, this.#closing.signal);
    const names = Array.from({ length: options.connections }, (_, index) => options.sessionPrefix + String(index + 1).padStart(2, '0'));
    this.#lanes = names.map((name) => this.#lane(name));
  }

  /** Writes one row. Never rejects; an answer after `slot.signal` aborted is not waited for, its connection is closed. */
  async write(slot: Slot): Promise<Attempt> {
    const got = await this.#acquire(slot.signal);
    if (typeof got === 'string') return { ok: false, error: got };
    const { node, session } = got;
    const sent = this.#options.now();
    try {
      await insertRow(session, this.#options.run, slot.number, slot.signal);
      this.#release(got);
      return { ok: true, sent, node };
    } catch (error) {
      got.drop();
      return { ok: false, error: sampleError(error, 'connection lost'), sent, node };
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const connection of this.#live) connection.drop();
    await Promise.all(this.#lanes);
  }

  /** Never rejects. */
  async #lane(applicationName: string): Promise<void> {
    const { access } = this.#options;
    const { signal } = this.#closing;
    const search = {
      applicationName,
      prepare: (session: SqlSession, limited: AbortSignal) => this.#prepare(session, applicationName, limited),
      onNone: (why: string) => this.#refuse(why),
    };
    while (!signal.aborted) {
      try {
        const found = await findWritable(access, search, signal);
        if (!signal.aborted) await this.#serve(found);
        await giveBack(access, found.session);
      } catch {
        // Only closing ends a search without a node.
      }
    }
  }

  async #prepare(session: SqlSession, applicationName: string, signal: AbortSignal): Promise<void> {
    await endSessions(session, applicationName, signal);
    await ensureTable(session, signal);
    if (this.#tidied) return;
    this.#tidied = true;
    await removeOldRows(session, signal);
  }

  /** Has the connection used until it fails, is lost, or all are closed. */
  #serve(found: WritableNode): Promise<void> {
    return new Promise((resolve) => {
      const connection: Connection = {
        ...found,
        drop: () => {
          this.#live.delete(connection);
          const index = this.#idle.indexOf(connection);
          if (index >= 0) this.#idle.splice(index, 1);
          resolve();
        },
      };
      // Resolves, never rejects, by its contract.
      void found.session.lost.then(() => connection.drop());
      this.#live.add(connection);
      this.#refusal = undefined;
      this.#release(connection);
    });
  }

  #acquire(signal: AbortSignal): Promise<Connection | string> {
    const idle = this.#idle.shift();
    if (idle !== undefined) return Promise.resolve(idle);
    if (this.#live.size === 0 && this.#refusal !== undefined) return Promise.resolve(this.#refusal);
    return new Promise((resolve) => {
      const waiter: Waiter = (got) => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', giveUp);
        resolve(got);
      };
      const giveUp = (): void => waiter('timeout');
      signal.addEventListener('abort', giveUp, { once: true });
      this.#waiting.add(waiter);
    });
  }

  #release(connection: Connection): void {
    if (!this.#live.has(connection)) return;
    const [waiter] = this.#waiting;
    if (waiter === undefined) this.#idle.push(connection);
    else waiter(connection);
  }

  #refuse(why: string): void {
    if (this.#live.size > 0) return;
    this.#refusal = why;
    for (const waiter of [...this.#waiting]) waiter(why);
  }
}
