/** Reads back: that the failover really happened, and afterwards that the cluster is whole and nothing of ours is left. */
import { poll } from '../../../core/clock.ts';
import { describeError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import type { Effect, FaultContext, Measures, RevertCheck } from '../../contract.ts';
import { answer, describeNode, type NodeState, readNode, row } from './nodes.ts';
import { idleSlots } from './rejoin.ts';
import { FoundRow } from './sql.ts';
import { readStreaming } from './streaming.ts';
import { FailoverUndo } from './undo.ts';

const streamingWithin = 30_000;
const arrivesWithin = 10_000;

export async function verify(context: FaultContext, record: JsonObject): Promise<Effect> {
  const undo = FailoverUndo.parse(record);
  const old = await readNode(context, undo.primary);
  const nodes: NodeState[] = [];
  for (const { host } of undo.standbys) nodes.push(await readNode(context, host));
  const evidence = [old, ...nodes].map(describeNode);
  const promoted = nodes.find(({ role }) => role.kind === 'primary');
  if (promoted?.role.kind !== 'primary') return { effective: false, evidence };
  const steps = Number.parseInt(promoted.role.timeline, 16) - Number.parseInt(undo.timeline, 16);
  evidence.push(`timeline ${undo.timeline} before, ${promoted.role.timeline} now`);
  const written = await answer(context, () => context.operations.run(`marker-${promoted.host}`, markerOf(context, 'promoted')));
  evidence.push(
    written instanceof Error ? `a write on ${promoted.host} failed: ${describeError(written)}` : `a write on ${promoted.host} succeeded`,
  );
  // Where another tool promotes, it may also have made the old primary a standby by now.
  const gone = old.role.kind === 'down' || (undo.promotion === 'observe' && old.role.kind === 'standby');
  const effective = gone && steps === 1 && !(written instanceof Error);
  return { effective, evidence, measures: duration(context, 'promoted', 'promotedWithin') };
}

/** Marker ids are unique in the run: each stage writes its own, so that an old row is never taken for a new one. */
function markerOf(context: FaultContext, stage: string): { readonly variables: { readonly marker: string } } {
  return { variables: { marker: `${context.step.id}-${stage}-${Math.round(context.clock.wall())}` } };
}

function duration({ marks }: FaultContext, mark: string, measure: string): Measures {
  const ms = marks.get(mark)?.withinMs;
  return typeof ms === 'number' ? { [measure]: ms } : {};
}

export async function verifyReverted(context: FaultContext, record: JsonObject): Promise<RevertCheck> {
  const undo = FailoverUndo.parse(record);
  const hosts = [undo.primary, ...undo.standbys.map(({ host }) => host)];
  const nodes: NodeState[] = [];
  for (const host of hosts) nodes.push(await readNode(context, host));
  const evidence = nodes.map(describeNode);
  const findings = context.marks.has('split-brain')
    ? [`${undo.primary} was writable beside the promoted node; what was written there since is lost`]
    : [];
  const writable = nodes.filter(({ role }) => role.kind === 'primary');
  const [primary] = writable;
  if (primary === undefined || writable.length > 1) return { clean: false, evidence, findings };
  const forward = primary.host !== undo.primary;
  const onOldTimeline = primary.role.kind === 'primary' && primary.role.timeline === undo.timeline;
  let clean = forward || onOldTimeline;
  for (const node of nodes) {
    if (node === primary) continue;
    const link = await checkLink(context, undo, primary.host, node);
    evidence.push(...link.evidence);
    findings.push(...link.findings);
    clean &&= link.clean;
  }
  const left = await residue(context, undo, nodes, primary.host);
  evidence.push(...(left.length === 0 ? ['nothing of ours is left'] : left));
  return {
    clean: clean && left.length === 0,
    evidence,
    findings,
    measures: forward ? duration(context, 'rejoined', 'redundancyRestoredWithin') : {},
  };
}

/** The old primary must follow. A standby that is not even running was not stopped by us: people must hear of it. */
async function checkLink(context: FaultContext, undo: FailoverUndo, source: string, node: NodeState): Promise<RevertCheck> {
  const { host, role } = node;
  if (host !== undo.primary && role.kind !== 'standby')
    return { clean: true, evidence: [], findings: [`${describeNode(node)}; this was not done by the run`] };
  const known = source === undo.primary ? undo.standbys.find((standby) => standby.host === host)?.name : undefined;
  const link = { source, host, before: undo.timeline, ...(known === undefined ? {} : { name: known }) };
  let last = await readStreaming(context, link);
  await poll(
    context.clock,
    { interval: 200, within: streamingWithin },
    async () => {
      if (!last.ok) last = await readStreaming(context, link);
      return last.ok ? last : undefined;
    },
    context.signal,
  );
  if (!last.ok) return { clean: false, evidence: last.evidence, findings: [] };
  const marker = markerOf(context, 'reverted');
  await context.operations.run(`new-marker-${source}`, marker);
  const arrived = await poll(
    context.clock,
    { interval: 100, within: arrivesWithin },
    async () => {
      const found = await answer(context, () => row(context, `read-marker-${host}`, FoundRow, marker));
      return !(found instanceof Error) && found.found === 1 ? found : undefined;
    },
    context.signal,
  );
  const said =
    arrived === undefined
      ? `a row written on ${source} has not arrived on ${host}`
      : `a row written on ${source} afterwards was read on ${host}`;
  return { clean: arrived !== undefined, evidence: [...last.evidence, said], findings: [] };
}

/** What is still there of ours, one fact an entry. */
async function residue(context: FaultContext, undo: FailoverUndo, nodes: readonly NodeState[], primary: string): Promise<string[]> {
  const left: string[] = [];
  await context.operations.run(`drop-marker-${primary}`);
  for (const { host, role, files } of nodes) {
    if (host === undo.primary && files === undefined) left.push(`${host}: its files cannot be read`);
    if (files?.replaced === true) left.push(`${host}: the old data folder is still there`);
    if (files?.clone === true) left.push(`${host}: a half-made clone is still there`);
    if (files?.kept === true) left.push(`${host}: the saved configuration is still there`);
    if (host === primary && files?.standbySignal === true) left.push(`${host}: standby.signal lies in the data folder of the primary`);
    // Going back touches no slot: one that a dead standby left idle is not ours.
    if (primary === undo.primary || (role.kind !== 'primary' && role.kind !== 'standby')) continue;
    const idle = await idleSlots(context, undo, host);
    if (idle.length > 0) left.push(`${host}: unused replication slot ${idle.join(', ')}`);
  }
  return left;
}
