/** Finds the node of a cluster that takes writes, fast and bounded: a node that answers nothing holds up none of the others. */
import { setMaxListeners } from 'node:events';
import type { Clock } from '../core/clock.ts';
import { milliseconds } from '../core/units.ts';
import type { SqlConnector, SqlSession } from '../drivers/contract.ts';
import type { DatabaseCluster, DatabaseNode } from '../plan/plan.ts';
import { sampleError } from './errors.ts';
import { within } from './within.ts';

export interface ClusterAccess {
  readonly sql: SqlConnector;
  readonly clock: Clock;
  readonly cluster: DatabaseCluster;
  /** For connecting and for each question to a node. */
  readonly answerMs: number;
}

/** A session with the node that takes writes. */
export interface WritableNode {
  readonly node: string;
  readonly session: SqlSession;
}

const retryMs = 100;
/** Wrong password, no such database, no privilege, no free connection: asking ten times a second would only fill the server's log. */
const hopeless = /^sql (?:28|3D|42|53)/;
const hopelessRetryMs = 1_000;

export function openNode(access: ClusterAccess, node: DatabaseNode, applicationName: string, signal: AbortSignal): Promise<SqlSession> {
  const { cluster, sql, answerMs } = access;
  const { user, password } = cluster.admin;
  const endpoint = {
    engine: cluster.engine,
    address: node.address,
    port: node.port,
    database: cluster.database,
    user,
    ...(password === undefined ? {} : { password }),
    applicationName,
  };
  return sql.connect(endpoint, { timeout: milliseconds(answerMs) }, signal);
}

/** Not in recovery and not set to read-only, which some fencing does. */
export async function takesWrites(session: SqlSession, answerMs: number, signal: AbortSignal): Promise<boolean> {
  const question = `SELECT NOT pg_is_in_recovery() AND current_setting('transaction_read_only') = 'off' AS writable`;
  const [row] = await within(answerMs, signal, (limited) => session.query(question, [], limited));
  return row?.writable === true;
}

/** Gives a session back; never rejects, and waits for no server that has stopped answering. */
export async function giveBack(access: ClusterAccess, session: SqlSession): Promise<void> {
  const enough = new AbortController();
  const close = async (): Promise<void> => session[Symbol.asyncDispose]();
  await Promise.race([close(), access.clock.sleep(access.answerMs, enough.signal)]).catch(() => undefined);
  enough.abort();
}

export interface Search {
  readonly applicationName: string;
  /** Makes a writable node ready; a node where this fails counts as not found. */
  prepare(session: SqlSession, signal: AbortSignal): Promise<void>;
  /** Told, once every node has answered or failed to, why there is none that takes writes; repeated while that lasts. */
  onNone(why: string): void;
}

/** Asks all nodes side by side, each again and again, until one takes writes. Rejects only with the signal's reason. */
export async function findWritable(access: ClusterAccess, search: Search, signal: AbortSignal): Promise<WritableNode> {
  const { nodes } = access.cluster;
  const findings = new Map<string, string>();
  const found = new AbortController();
  // A node has two at most: of its wait and of its question.
  setMaxListeners(2 * nodes.length + 1, found.signal);
  const stop = (): void => found.abort(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  let taken = false;
  const watcher: Watcher = {
    ...search,
    claim: () => {
      if (taken || found.signal.aborted) return false;
      taken = true;
      return true;
    },
    note: (node, finding) => {
      findings.set(node, finding);
      if (!taken && findings.size === nodes.length) search.onNone(summary([...findings.values()]));
    },
  };
  try {
    return await Promise.any(nodes.map((node) => watch(access, node, watcher, found.signal)));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    found.abort();
    signal.removeEventListener('abort', stop);
  }
}

interface Watcher extends Search {
  /** True for the first node only: of two that take writes at the same time one is used. */
  claim(): boolean;
  note(node: string, finding: string): void;
}

async function watch(access: ClusterAccess, node: DatabaseNode, watcher: Watcher, signal: AbortSignal): Promise<WritableNode> {
  for (;;) {
    let wait = retryMs;
    try {
      const session = await awaitWritable(access, node, watcher, signal);
      if (session !== undefined) return { node: node.host, session };
    } catch (error) {
      signal.throwIfAborted();
      const finding = sampleError(error, 'no answer');
      if (hopeless.test(finding)) wait = hopelessRetryMs;
      watcher.note(node.host, finding);
    }
    await access.clock.sleep(wait, signal);
  }
}

/** Stays connected to a standby and asks until it is promoted: that is gentler and faster than connecting again. */
async function awaitWritable(
  access: ClusterAccess,
  node: DatabaseNode,
  watcher: Watcher,
  signal: AbortSignal,
): Promise<SqlSession | undefined> {
  const session = await openNode(access, node, watcher.applicationName, signal);
  let kept = false;
  try {
    while (!(await takesWrites(session, access.answerMs, signal))) {
      watcher.note(node.host, standby);
      await access.clock.sleep(retryMs, signal);
    }
    await within(access.answerMs, signal, (limited) => watcher.prepare(session, limited));
    kept = watcher.claim();
    return kept ? session : undefined;
  } finally {
    if (!kept) await giveBack(access, session);
  }
}

const standby = 'standby';

/** The error that all nodes agree on; where they differ, or all are standbys, what matters to a writer. */
function summary(findings: readonly string[]): string {
  const [first = standby] = findings;
  return first !== standby && findings.every((finding) => finding === first) ? first : 'no writable node';
}
