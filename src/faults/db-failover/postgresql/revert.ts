/**
 * Decides from what the nodes really are, and only then from the marks: nothing promoted means backward, a promoted standby means forward.
 * May be called again at any point, by any process.
 */
import { poll } from '../../../core/clock.ts';
import { ChaosError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { FaultContext } from '../../contract.ts';
import { halt } from './halt.ts';
import { answer, describeNode, type NodeState, readNode, row } from './nodes.ts';
import { rejoin } from './rejoin.ts';
import { PromotingRow } from './sql.ts';
import { FailoverUndo } from './undo.ts';

/** So long must a standby show no sign of a promotion before the way back is taken. */
const quietFor = 3_000;
const promotionWithin = 120_000;
const serverUpWithin = 120_000;

export async function revert(context: FaultContext, record: JsonObject): Promise<undefined> {
  const undo = FailoverUndo.parse(record);
  for (const { host } of undo.standbys) await answer(context, () => context.operations.run(`resume-${host}`));
  const standbys = await settled(context, undo);
  const promoted = standbys.filter(({ role }) => role.kind === 'primary');
  const [source] = promoted;
  if (promoted.length > 1) throw stuck(promoted, 'two standbys were promoted', 'decide which of them is right and stop the other');
  if (source !== undefined) {
    await forward(context, undo, source.host);
    return;
  }
  refuseDoubt(context, undo, standbys);
  await backward(context, undo);
}

/** A promotion that was asked for may still be under way: nothing is decided while there are signs of one. */
async function settled(context: FaultContext, undo: FailoverUndo): Promise<NodeState[]> {
  const read = async (): Promise<NodeState[]> => {
    const nodes: NodeState[] = [];
    for (const { host } of undo.standbys) nodes.push(await readNode(context, host));
    return nodes;
  };
  if (!context.marks.has('promoting')) return read();
  const { clock } = context;
  let before: string | undefined;
  let quietSince = clock.monotonic();
  const found = await poll(
    clock,
    { interval: 250, within: promotionWithin },
    async () => {
      const nodes = await read();
      if (nodes.some(({ role }) => role.kind === 'primary')) return nodes;
      const now = await signs(context, nodes);
      if (now.busy || now.seen !== before) quietSince = clock.monotonic();
      before = now.seen;
      return clock.monotonic() - quietSince >= quietFor ? nodes : undefined;
    },
    context.signal,
  );
  if (found === undefined)
    throw stuck(await read(), 'a promotion was asked for and does not come to an end', 'look into the log of the standby');
  return found;
}

/** `busy`: certainly under way. `seen`: what moves while a standby replays what it has, on its way to being promoted. */
async function signs(context: FaultContext, nodes: readonly NodeState[]): Promise<{ readonly busy: boolean; readonly seen: string }> {
  const seen: string[] = [];
  let busy = false;
  for (const { host, role, files } of nodes) {
    busy ||= files?.promoteSignal === true && role.kind !== 'down';
    busy ||= role.kind === 'silent';
    const found = role.kind === 'standby' ? await answer(context, () => row(context, `promoting-${host}`, PromotingRow)) : undefined;
    if (found === undefined || found instanceof Error) continue;
    busy ||= found.calls > 0 || !found.recovery;
    seen.push(`${host} ${found.replayed ?? ''}`);
  }
  return { busy, seen: seen.join() };
}

/** Starting the old primary is only right when it is certain that no standby was promoted. */
function refuseDoubt({ marks }: FaultContext, { promotion }: FailoverUndo, standbys: readonly NodeState[]): void {
  const maybe = marks.has('promoting') || promotion === 'observe';
  // The server removes standby.signal when it has been promoted; a dead one that still has it never was.
  const doubtful = standbys.filter(({ role, files }) => role.kind !== 'standby' && (files === undefined ? maybe : !files.standbySignal));
  if (doubtful.length > 0) {
    throw stuck(
      doubtful,
      'it may have been promoted, so the old primary must not be started',
      'start it, or make its host reachable, then run chaos recover',
    );
  }
}

/** As it was: the old primary writable on its old timeline. */
async function backward(context: FaultContext, undo: FailoverUndo): Promise<void> {
  const { operations } = context;
  const { primary } = undo;
  const { role, files } = await readNode(context, primary);
  if (role.kind === 'unreachable')
    throw stuck([{ host: primary, role }], 'the primary cannot be brought back', 'make its host reachable, then run chaos recover');
  // Someone started it while standby.signal was there: it is, or is about to be, a standby on its own data.
  if (role.kind === 'standby' || (role.kind === 'silent' && files?.standbySignal === true)) await halt(context, primary);
  await operations.run(`unfence-${primary}`);
  if (role.kind !== 'primary') await start(context, primary);
  await operations.run(`clean-up-${primary}`);
}

async function start(context: FaultContext, primary: string): Promise<void> {
  const { operations, clock, signal } = context;
  const down = (await readNode(context, primary)).role.kind === 'down';
  const started = down ? await answer(context, () => operations.run(`start-${primary}`)) : undefined;
  // The command may give up on a long crash recovery, or a supervisor may have been faster; what counts is the server.
  const node = await poll(
    clock,
    { interval: 250, within: serverUpWithin },
    async () => {
      const now = await readNode(context, primary);
      if (started instanceof Error && now.role.kind === 'down') throw started;
      return now.role.kind === 'primary' ? now : undefined;
    },
    signal,
  );
  if (node === undefined) throw stuck([await readNode(context, primary)], 'the primary does not become writable', 'look into its log');
}

async function forward(context: FaultContext, undo: FailoverUndo, source: string): Promise<void> {
  const { role } = await readNode(context, undo.primary);
  if (role.kind === 'unreachable') {
    throw stuck(
      [{ host: undo.primary, role }],
      'the old primary cannot be fenced and joined again',
      'keep it off the network, make its host reachable, then run chaos recover',
    );
  }
  if (role.kind === 'primary') {
    // Two primaries. The promoted one stays; what the old one took since then is lost to everyone, so people must hear of it.
    await context.mark('split-brain', { hosts: [undo.primary, source] });
    await context.operations.run(`keep-fenced-${undo.primary}`);
    await halt(context, undo.primary);
  }
  await rejoin(context, undo, source);
}

function stuck(nodes: readonly NodeState[], what: string, hint: string): ChaosError {
  return new ChaosError('CHAOS_FAULT', `${what}: ${nodes.map(describeNode).join('; ')}`, {
    target: nodes.map(({ host }) => host).join(', '),
    hint,
  });
}
