/**
 * Makes the old primary a standby of the promoted one: as it is where it has not diverged, else rewound, else cloned. Every part can be
 * done again; nothing is thrown away before replication is proved.
 */
import { poll } from '../../../core/clock.ts';
import { ChaosError, describeError } from '../../../core/errors.ts';
import { formatDuration } from '../../../core/units.ts';
import type { FaultContext } from '../../contract.ts';
import { clone } from './clone.ts';
import { halt } from './halt.ts';
import { lsn, namesStandby, renameStandby, slotName } from './names.ts';
import { answer, readNode, readRole, row, rows } from './nodes.ts';
import { ServerRow, SlotRow } from './sql.ts';
import { readStreaming, type Streaming } from './streaming.ts';
import type { FailoverUndo } from './undo.ts';

const streamingWithin = 60_000;
type Way = 'as-is' | 'rewind' | 'clone';

/** `source`: the host of the node that was promoted. */
export async function rejoin(context: FaultContext, undo: FailoverUndo, source: string): Promise<void> {
  const { operations, clock, marks, mark } = context;
  if (!marks.has('rejoining')) await mark('rejoining', { wallMs: clock.wall() });
  await createSlot(context, source, undo.primary);
  if (!(await streams(context, undo, source, undo.primary)).ok) await bringBack(context, undo, source);
  if (!marks.has('rejoined')) await mark('rejoined', { withinMs: clock.wall() - Number(marks.get('rejoining')?.wallMs ?? clock.wall()) });
  for (const host of others(undo, source)) await repoint(context, undo, source, host);
  await moveSyncNames(context, undo, source);
  await dropSlots(context, undo);
  await operations.run(`clean-up-${undo.primary}`);
}

async function createSlot({ operations }: FaultContext, source: string, host: string): Promise<void> {
  await operations.run(`create-slot-${source}`, { variables: { slot: slotName(host) } });
}

function others(undo: FailoverUndo, source: string): string[] {
  return undo.standbys.map(({ host }) => host).filter((host) => host !== source);
}

async function bringBack(context: FaultContext, undo: FailoverUndo, source: string): Promise<void> {
  const { operations, mark } = context;
  const { primary } = undo;
  await operations.run(`keep-fenced-${primary}`);
  await halt(context, primary);
  await operations.run(`new-checkpoint-${source}`);
  const way = await makeData(context, undo, source);
  await operations.run(`follow-${source}-${primary}`, {
    ...credentials,
    variables: { 'clear-sync': namesAnyStandby(undo) ? 'yes' : 'no' },
  });
  await operations.run(`open-${primary}`);
  const started = await answer(context, () => operations.run(`start-${primary}`));
  const streaming = await awaitStreaming(context, undo, source, primary);
  if (streaming.ok) return;
  // The next attempt takes the next way.
  await mark(`failed-${way}`);
  const because = [started instanceof Error ? describeError(started) : '', ...streaming.evidence].filter((part) => part !== '').join('; ');
  throw new ChaosError(
    'CHAOS_FAULT',
    `${primary} does not stream from ${source} within ${formatDuration(streamingWithin)} (${way}): ${because}`,
    {
      target: primary,
      hint: 'look into its log; chaos recover tries again',
    },
  );
}

/** User and password of the replication role; the executor fills them in, they are never journalled. */
const credentials = { stdin: '@replication-user@\n@replication-password@\n' } as const;

/** Leaves a data folder that can follow `source`. What a dead runner had finished is not done again. */
async function makeData(context: FaultContext, undo: FailoverUndo, source: string): Promise<Way> {
  const { marks, mark, operations } = context;
  const { primary } = undo;
  const { files } = await readNode(context, primary);
  if (files?.replaced === true) {
    await operations.run(`swap-${primary}`);
    return 'clone';
  }
  const ready = marks.get('data-ready')?.way;
  if ((ready === 'as-is' || ready === 'rewind') && !marks.has(`failed-${ready}`)) return ready;
  await operations.run(`save-config-${primary}`);
  const way = await chooseWay(context, undo, source, files?.shutdownAt);
  if (way === 'rewind') {
    await mark('rewinding');
    const rewound = await answer(context, () => operations.run(`rewind-from-${source}-${primary}`, credentials));
    if (rewound instanceof Error) {
      await mark('failed-rewind', { because: describeError(rewound) });
      if (!undo.mayClone) throw rewound;
      await clone(context, undo, source);
      return 'clone';
    }
  } else if (way === 'clone') {
    await clone(context, undo, source);
    return way;
  }
  await mark('data-ready', { way });
  return way;
}

/** A clean shutdown before the timelines parted needs nothing; a rewind that was cut short leaves data that only a clone mends. */
async function chooseWay(context: FaultContext, undo: FailoverUndo, source: string, shutdownAt: bigint | undefined): Promise<Way> {
  const { marks } = context;
  const spoilt = marks.has('rewinding') || marks.has('failed-rewind');
  if (spoilt && undo.mayClone) return 'clone';
  if (!spoilt && !marks.has('failed-as-is') && shutdownAt !== undefined && shutdownAt < (await forkOf(context, source))) return 'as-is';
  return undo.rejoin;
}

async function forkOf(context: FaultContext, source: string): Promise<bigint> {
  const role = await readRole(context, source);
  if (role instanceof Error || role.kind !== 'primary')
    throw new ChaosError('CHAOS_FAULT', `${source} is not writable any more`, { target: source });
  const { stdout } = await context.operations.run(`fork-${source}`, { variables: { timeline: role.timeline } });
  return lsn(stdout.trim().split(/\s+/)[1] ?? '');
}

async function awaitStreaming(context: FaultContext, undo: FailoverUndo, source: string, host: string): Promise<Streaming> {
  let last: Streaming = { ok: false, evidence: [] };
  await poll(
    context.clock,
    { interval: 200, within: streamingWithin },
    async () => {
      last = await streams(context, undo, source, host);
      return last.ok ? last : undefined;
    },
    context.signal,
  );
  return last;
}

function streams(context: FaultContext, undo: FailoverUndo, source: string, host: string): Promise<Streaming> {
  return readStreaming(context, { source, host, before: undo.timeline });
}

/** Another standby of the cluster: it has not diverged, it only has to ask somewhere else. */
async function repoint(context: FaultContext, undo: FailoverUndo, source: string, host: string): Promise<void> {
  if ((await streams(context, undo, source, host)).ok) return;
  // One that is down by itself is a finding of verifyReverted, and no reason to leave the rest undone.
  if ((await readNode(context, host)).role.kind !== 'standby') return;
  await createSlot(context, source, host);
  await context.operations.run(`follow-${source}-${host}`, credentials);
  await context.operations.run(`reload-${host}`);
  await awaitStreaming(context, undo, source, host);
}

function namesAnyStandby(undo: FailoverUndo): boolean {
  const setting = undo.syncNames[undo.primary] ?? '';
  return undo.standbys.some(({ name }) => namesStandby(setting.replaceAll('*', ''), name));
}

/** The new primary waits for the old one as the old one waited for it; without this the cluster would be asynchronous from now on. */
async function moveSyncNames(context: FaultContext, undo: FailoverUndo, source: string): Promise<void> {
  const setting = undo.syncNames[undo.primary] ?? '';
  const candidate = undo.standbys.find(({ host }) => host === source);
  if (setting === '' || candidate === undefined) return;
  const names = renameStandby(setting, candidate.name, undo.primary);
  if ((await row(context, `server-${source}`, ServerRow)).sync_names === names) return;
  await context.operations.run(`sync-names-${source}`, { variables: { names } });
  await context.operations.run(`reload-${source}`);
}

/** The names that this cluster's physical slots have: ours, and those that its standbys used before. */
export function clusterSlots(undo: FailoverUndo): Set<string> {
  return new Set(
    [undo.primary, ...undo.standbys.map(({ host }) => host)].map(slotName).concat(undo.standbys.flatMap(({ slot }) => slot ?? [])),
  );
}

/** An unused slot keeps WAL until the disk is full. */
export async function idleSlots(context: FaultContext, undo: FailoverUndo, host: string): Promise<string[]> {
  const known = clusterSlots(undo);
  const before = undo.idleSlots[host] ?? [];
  const found = await rows(context, `slots-${host}`, SlotRow);
  return found.filter(({ name, active }) => !active && known.has(name) && !before.includes(name)).map(({ name }) => name);
}

async function dropSlots(context: FaultContext, undo: FailoverUndo): Promise<void> {
  for (const host of [undo.primary, ...undo.standbys.map((standby) => standby.host)]) {
    const idle = await answer(context, () => idleSlots(context, undo, host));
    if (idle instanceof Error) continue;
    for (const slot of idle) await context.operations.run(`drop-slot-${host}`, { variables: { slot } });
  }
}
