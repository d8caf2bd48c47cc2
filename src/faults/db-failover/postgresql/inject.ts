/**
 * Takes the primary away and promotes a standby. Whatever fails before the mark `promoting` leaves a cluster that revert brings back as it
 * was; from that mark on there is only the way forward.
 */
import { poll } from '../../../core/clock.ts';
import { ChaosError, describeError } from '../../../core/errors.ts';
import type { JsonObject } from '../../../core/json.ts';
import { formatDuration } from '../../../core/units.ts';
import type { FaultContext } from '../../contract.ts';
import { durationMs } from '../../fields.ts';
import { DbFailoverParameters } from '../schema.ts';
import { lsn } from './names.ts';
import { answer, readNode, readRole, row } from './nodes.ts';
import { answers } from './shell.ts';
import { PositionRow } from './sql.ts';
import { FailoverUndo } from './undo.ts';

/** A cleanly stopped primary has sent everything; the standby may still be writing it down. */
const shutdownReceivedWithin = 10_000;

export async function inject(context: FaultContext, record: JsonObject): Promise<void> {
  const undo = FailoverUndo.parse(record);
  const parameters = DbFailoverParameters.parse(context.step.parameters);
  const lostAt = parameters.mode === 'crash' ? await crash(context, undo, parameters) : await stopCleanly(context, undo);
  await context.operations.run(`fence-${undo.primary}`);
  await makeSureItIsDown(context, undo.primary);
  if (undo.promotion === 'observe') return observe(context, undo, parameters, lostAt);
  await context.clock.sleep(durationMs(parameters.promoteAfter), context.signal);
  const candidate = await chooseCandidate(context, undo);
  await promote(context, candidate, parameters, lostAt);
}

async function crash(context: FaultContext, undo: FailoverUndo, { stall }: DbFailoverParameters): Promise<number> {
  const { operations, clock, mark, signal } = context;
  if (stall !== undefined) {
    for (const { host } of undo.standbys) await operations.run(`stall-${host}`);
    await clock.sleep(durationMs(stall), signal);
  }
  const lostAt = clock.monotonic();
  const killed = await operations.run(`crash-${undo.primary}`, { accept: [answers.yes, answers.no] });
  if (killed.exitCode === answers.no) throw failed(undo.primary, 'the primary was gone before it was killed', 'look into its log');
  await mark('primary-down', { host: undo.primary });
  if (stall !== undefined) for (const { host } of undo.standbys) await operations.run(`cut-${host}`);
  return lostAt;
}

async function stopCleanly(context: FaultContext, undo: FailoverUndo): Promise<number> {
  const { operations, clock, mark, signal } = context;
  await operations.run(`checkpoint-${undo.primary}`);
  const lostAt = clock.monotonic();
  await operations.run(`stop-${undo.primary}`);
  await mark('primary-down', { host: undo.primary });
  const shutdownAt = (await readNode(context, undo.primary)).files?.shutdownAt;
  if (shutdownAt === undefined) throw failed(undo.primary, 'it was not shut down cleanly', 'look into its log; nothing was promoted');
  const received = await poll(
    clock,
    { interval: 200, within: shutdownReceivedWithin },
    async () => {
      const candidate = await answer(context, () => chooseCandidate(context, undo));
      return !(candidate instanceof Error) && candidate.position > shutdownAt ? candidate : undefined;
    },
    signal,
  );
  if (received === undefined)
    throw failed(undo.primary, 'no standby has received its last record: a promotion would lose writes', 'nothing was promoted');
  return lostAt;
}

/** A supervisor may have started it again before the fence stood; with `standby.signal` it is read-only, but it must not be there at all. */
async function makeSureItIsDown(context: FaultContext, primary: string): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const { role } = await readNode(context, primary);
    if (role.kind === 'down') return;
    await context.operations.run(`crash-${primary}`, { accept: [answers.yes, answers.no] });
  }
  throw failed(
    primary,
    'something starts it again and again: it cannot be kept down',
    'give the node a fence command, for example systemctl mask',
  );
}

interface Candidate {
  readonly host: string;
  readonly position: bigint;
}

/** The living standby with the most WAL. */
async function chooseCandidate(context: FaultContext, undo: FailoverUndo): Promise<Candidate> {
  const silent: string[] = [];
  let best: Candidate | undefined;
  for (const { host } of undo.standbys) {
    const found = await answer(context, () => row(context, `position-${host}`, PositionRow));
    if (found instanceof Error || !found.recovery || found.position === null) {
      silent.push(`${host}: ${found instanceof Error ? describeError(found) : found.recovery ? 'has no WAL' : 'is not a standby'}`);
      continue;
    }
    const position = lsn(found.position);
    if (best === undefined || position > best.position) best = { host, position };
  }
  if (best === undefined) throw failed(undo.primary, `no standby can be promoted: ${silent.join('; ')}`, 'nothing was promoted');
  return best;
}

async function promote(context: FaultContext, { host }: Candidate, parameters: DbFailoverParameters, lostAt: number): Promise<void> {
  await context.mark('promoting', { candidate: host });
  await context.operations.run(`promote-${host}`);
  await awaitWritable(context, [host], parameters, lostAt);
}

async function observe(context: FaultContext, undo: FailoverUndo, parameters: DbFailoverParameters, lostAt: number): Promise<void> {
  await context.mark('promoting', { candidate: 'whichever the other tool takes' });
  await awaitWritable(
    context,
    undo.standbys.map(({ host }) => host),
    parameters,
    lostAt,
  );
}

async function awaitWritable(
  context: FaultContext,
  hosts: readonly string[],
  { promoteTimeout }: DbFailoverParameters,
  lostAt: number,
): Promise<void> {
  const { clock, mark, signal } = context;
  const within = durationMs(promoteTimeout);
  const promoted = await poll(
    clock,
    { interval: 100, within },
    async () => {
      for (const host of hosts) {
        const role = await readRole(context, host);
        if (!(role instanceof Error) && role.kind === 'primary') return host;
      }
      return undefined;
    },
    signal,
  );
  if (promoted === undefined)
    throw failed(hosts.join(' or '), `not writable within ${formatDuration(within)}`, 'look into the log of the standby');
  await mark('promoted', { candidate: promoted, withinMs: Math.round(clock.monotonic() - lostAt) });
}

function failed(target: string, what: string, hint: string): ChaosError {
  return new ChaosError('CHAOS_FAULT', `${target}: ${what}`, { target, hint });
}
