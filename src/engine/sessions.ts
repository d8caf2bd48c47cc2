/**
 * The run's connections: one SSH session a host, opened in prepare and kept, and one database session a node through it. A session
 * that broke is opened again on the next use, so that a revert is tried even after a cut.
 */
import { CleanupStack } from '../core/cleanup-stack.ts';
import { ChaosError } from '../core/errors.ts';
import { targetId } from '../core/ids.ts';
import { mapLimit } from '../core/limit.ts';
import { type Milliseconds, milliseconds } from '../core/units.ts';
import type { HostDriver, HostSession, SqlConnector, SqlSession } from '../drivers/contract.ts';
import type { DatabaseCluster, PlannedHost } from '../plan/plan.ts';

export interface SessionParts {
  readonly hosts: readonly PlannedHost[];
  /** Secrets still as references; `secret` resolves them at the moment of use. */
  readonly databases: readonly DatabaseCluster[];
  driver(kind: PlannedHost['driver']): Promise<HostDriver>;
  readonly sql: SqlConnector;
  secret(text: string): string;
  readonly connectTimeout: Milliseconds;
  /** Hears of sessions that end before they are disposed. */
  onLost(target: string, error: Error): void;
}

/** Handshakes at once: more gain nothing and stall the event loop. */
const connectLimit = 16;

interface Kept<T> {
  readonly session: Promise<T>;
  alive: boolean;
}

export class Sessions implements AsyncDisposable {
  readonly #parts: SessionParts;
  readonly #hosts = new Map<string, Kept<HostSession>>();
  readonly #sql = new Map<string, Kept<SqlSession>>();
  readonly #owned = new CleanupStack();
  /** Hosts whose connection a fault takes away. */
  readonly #leaving = new Set<string>();
  #closing = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Opens sessions to all `targets`, at most 16 handshakes at once. */
  async open(targets: readonly string[], signal: AbortSignal): Promise<void> {
    await mapLimit(targets, connectLimit, (target) => this.host(target, signal), signal);
  }

  /** The session to `target`, opened if there is none or it was lost. Rejects as the driver's `connect` does. */
  host(target: string, signal: AbortSignal): Promise<HostSession> {
    return this.#keep(this.#hosts, target, async () => {
      const { groups: _groups, roles: _roles, ...host } = this.#plannedHost(target);
      const driver = await this.#parts.driver(host.driver);
      const { secret } = this.#parts;
      const open = <T extends { readonly passphrase?: string | undefined }>(login: T): T =>
        login.passphrase === undefined ? login : { ...login, passphrase: secret(login.passphrase) };
      const login = { ...open(host), id: targetId(host.id), address: secret(host.address), user: secret(host.user) };
      return driver.connect({ ...login, jumps: host.jumps.map(open) }, signal);
    });
  }

  /** A database session to the node of `database` on `target`, made from that host's own network. */
  sql(target: string, database: string, signal: AbortSignal): Promise<SqlSession> {
    return this.#keep(this.#sql, `${database}@${target}`, async () => {
      const cluster = this.cluster(database);
      const node = cluster.nodes.find((candidate) => candidate.host === target);
      if (node === undefined) throw new ChaosError('CHAOS_PLAN_DRIFT', `database ${database} has no node on ${target}`, { target });
      const via = await this.host(target, signal);
      const password = cluster.admin.password;
      return this.#parts.sql.connect(
        {
          engine: cluster.engine,
          address: this.#parts.secret(node.address),
          port: node.port,
          database: cluster.database,
          user: this.#parts.secret(cluster.admin.user),
          ...(password === undefined ? {} : { password: this.#parts.secret(password) }),
          applicationName: 'chaos',
        },
        { timeout: milliseconds(Math.min(this.#parts.connectTimeout, 10_000)), via },
        signal,
      );
    });
  }

  /** Forgets the database session, so that the next use opens a fresh one. */
  async closeSql(target: string, database: string): Promise<void> {
    const key = `${database}@${target}`;
    const kept = this.#sql.get(key);
    this.#sql.delete(key);
    const session = await kept?.session.catch(() => undefined);
    await session?.[Symbol.asyncDispose]();
  }

  /** A connection to `target` that breaks is no news until this is called with `false`. */
  expectLoss(target: string, expected = true): void {
    if (expected) this.#leaving.add(target);
    else this.#leaving.delete(target);
  }

  cluster(database: string): DatabaseCluster {
    const cluster = this.#parts.databases.find((candidate) => candidate.name === database);
    if (cluster === undefined) throw new ChaosError('CHAOS_PLAN_DRIFT', `no database ${database} in the plan`);
    return cluster;
  }

  #plannedHost(target: string): PlannedHost {
    const host = this.#parts.hosts.find((candidate) => candidate.id === target);
    if (host === undefined) throw new ChaosError('CHAOS_PLAN_DRIFT', `host ${target} is not in the plan`, { target });
    return host;
  }

  async #keep<T extends AsyncDisposable & { readonly lost: Promise<Error> }>(
    kept: Map<string, Kept<T>>,
    key: string,
    connect: () => Promise<T>,
  ): Promise<T> {
    const known = kept.get(key);
    if (known?.alive === true) return known.session;
    const entry: Kept<T> = { session: connect(), alive: true };
    kept.set(key, entry);
    try {
      const session = await entry.session;
      if (this.#closing) {
        await session[Symbol.asyncDispose]();
        throw new ChaosError('CHAOS_TARGET_LOST', `the connection to ${key} came up after everything was closed`, { target: key });
      }
      this.#owned.use(session);
      this.#watch(entry, key, session, kept === (this.#hosts as unknown));
      return session;
    } catch (error) {
      entry.alive = false;
      throw error;
    }
  }

  #watch<T extends { readonly lost: Promise<Error> }>(entry: Kept<T>, key: string, session: T, isHost: boolean): void {
    // `lost` never rejects; nobody needs to wait for this.
    void session.lost.then((error) => {
      entry.alive = false;
      if (isHost && !this.#closing && !this.#leaving.has(key)) this.#parts.onLost(key, error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await this.#owned[Symbol.asyncDispose]();
  }
}
