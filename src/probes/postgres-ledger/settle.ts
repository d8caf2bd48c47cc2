/** Reads the writes of a run back from the one node that takes writes now, and compares them with what was acknowledged. */
import { poll } from '../../core/clock.ts';
import { ChaosError } from '../../core/errors.ts';
import type { SqlSession } from '../../drivers/contract.ts';
import type { DatabaseNode } from '../../plan/plan.ts';
import type { LedgerResult } from '../contract.ts';
import { type ClusterAccess, giveBack, openNode, takesWrites, type WritableNode } from '../postgres-nodes.ts';
import { within } from '../within.ts';
import type { WriteBook } from './book.ts';
import { endSessions, hasTable, readRows, removeRun } from './table.ts';

export interface SettleOptions {
  readonly probe: string;
  readonly access: ClusterAccess;
  readonly book: WriteBook;
  /** Marks the rows. */
  readonly run: string;
  readonly sessionPrefix: string;
  /** The timeout of a write. */
  readonly timeoutMs: number;
  /** Run time, ms. */
  now(): number;
}

const survivorWithinMs = 10_000;
const stragglersWithinMs = 10_000;
const pollMs = 200;

/** Rejects with `CHAOS_PROBE`, whatever it was that kept the rows from being read. */
export async function settle(options: SettleOptions, signal: AbortSignal): Promise<LedgerResult> {
  try {
    return await readBack(options, signal);
  } catch (error) {
    if (error instanceof ChaosError && error.code === 'CHAOS_PROBE') throw error;
    const summary = `the writes of ledger ${options.probe} cannot be read back`;
    throw new ChaosError('CHAOS_PROBE', summary, { target: options.probe, cause: error });
  }
}

async function readBack(options: SettleOptions, signal: AbortSignal): Promise<LedgerResult> {
  const { access, book, run, probe } = options;
  const { node, session } = await survivor(options, signal);
  try {
    await awaitStragglers(options, node, session, signal);
    if (await hasTable(session, signal)) {
      for await (const seq of readRows(session, run, signal)) book.found(seq);
      // A failure costs nothing: the next run removes rows that are older than a day.
      await within(access.answerMs, signal, (limited) => removeRun(session, run, limited)).catch(() => undefined);
    }
    return { probe, survivor: node, ...book.result() };
  } finally {
    await giveBack(access, session);
  }
}

async function survivor(options: SettleOptions, signal: AbortSignal): Promise<WritableNode> {
  const { access, probe } = options;
  const found = await poll(access.clock, { interval: pollMs, within: survivorWithinMs }, () => onlyWritable(options, signal), signal);
  if (found !== undefined) return found;
  const nodes = access.cluster.nodes.map((node) => node.host).join(', ');
  throw new ChaosError('CHAOS_PROBE', `ledger ${probe}: none of ${nodes} takes writes`, {
    target: access.cluster.name,
    hint: 'Bring one node back as primary; the rows of the run stay in chaos.drill for a day.',
  });
}

/** The writable node among all that answer. With two of them nobody can say which one the writes should be looked for on. */
async function onlyWritable(options: SettleOptions, signal: AbortSignal): Promise<WritableNode | undefined> {
  const { access, probe } = options;
  const asked = await Promise.all(access.cluster.nodes.map((node) => ask(options, node, signal)));
  const writable = asked.filter((answer) => answer !== undefined);
  const [first] = writable;
  if (writable.length <= 1 && !signal.aborted) return first;
  await Promise.all(writable.map(({ session }) => giveBack(access, session)));
  signal.throwIfAborted();
  const nodes = writable.map(({ node }) => node).join(' and ');
  throw new ChaosError('CHAOS_PROBE', `ledger ${probe}: ${nodes} both take writes`, {
    target: access.cluster.name,
    hint: 'Split brain: fence one of them at once, then compare their data.',
  });
}

/** A session with `node` if it takes writes; an error is no answer, whatever it is. */
async function ask({ access, sessionPrefix }: SettleOptions, node: DatabaseNode, signal: AbortSignal): Promise<WritableNode | undefined> {
  const session = await openNode(access, node, `${sessionPrefix}read`, signal).catch(() => undefined);
  if (session === undefined) return undefined;
  if (await takesWrites(session, access.answerMs, signal).catch(() => false)) return { node: node.host, session };
  await giveBack(access, session);
  return undefined;
}

/** A write that was given up may still be committed: gives it its time, then ends its session, then waits until none is left. */
async function awaitStragglers(options: SettleOptions, node: string, session: SqlSession, signal: AbortSignal): Promise<void> {
  const { access, book, probe, sessionPrefix, timeoutMs } = options;
  if (book.lastFailure !== undefined) {
    await access.clock.sleep(Math.max(0, book.lastFailure + timeoutMs - options.now()), signal);
  }
  const gone = async (): Promise<true | undefined> => ((await endSessions(session, sessionPrefix, signal)) === 0 ? true : undefined);
  if ((await poll(access.clock, { interval: pollMs, within: stragglersWithinMs }, gone, signal)) === true) return;
  throw new ChaosError('CHAOS_PROBE', `ledger ${probe}: writes are still under way on ${node}, so nothing can be said about them`, {
    target: node,
  });
}
