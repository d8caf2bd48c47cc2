import * as z from 'zod';
import { ChaosError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { mapLimit } from '../../core/limit.ts';
import { tail } from '../../core/text.ts';
import { formatDuration, satisfies } from '../../core/units.ts';
import type { Effect, FaultContext, RevertCheck } from '../contract.ts';
import { durationMs } from '../fields.ts';
import { claim, claimedByOther, endClaim } from '../fuse/claim.ts';
import { ProcessKillParameters } from './schema.ts';
import { answers } from './shell.ts';

/** What was killed where, each process as `PID/START`. */
const Undo = z.strictObject({
  targets: z.array(z.strictObject({ target: z.string(), processes: z.array(z.string()), commandLine: z.string() })),
});
type Undo = z.infer<typeof Undo>;
type Killed = Undo['targets'][number];

const watchedAtOnce = 16;

export async function prepare({ step, operations }: FaultContext): Promise<JsonObject> {
  const parameters = ProcessKillParameters.parse(step.parameters);
  refuseBlindExpectation(step.expectations, durationMs(parameters.comesBackWithin));
  const targets: Killed[] = [];
  for (const target of step.targets) {
    const other = await claimedByOther(operations, target);
    if (other !== undefined) throw new ChaosError('CHAOS_REFUSED', `${target}: ${other}`, { target });
    const { stdout, stderr } = await operations.run(`find-${target}`);
    const processes = lines(stdout);
    if (processes.length !== parameters.count) throw wrongNumber(target, parameters, processes);
    targets.push({ target, processes, commandLine: tail(stderr, 200) });
  }
  return { targets } satisfies Undo;
}

/** Beyond `comesBackWithin` nobody looks: a longer expectation could never be refuted. */
function refuseBlindExpectation(expectations: FaultContext['step']['expectations'], within: number): void {
  for (const { measure, comparison } of expectations) {
    if (measure !== 'restartedWithin' || !satisfies(comparison, within + 1)) continue;
    throw new ChaosError(
      'CHAOS_REFUSED',
      `expect restartedWithin ${comparison.text} cannot be checked: it is watched for ${formatDuration(within)} only`,
      {
        hint: 'raise comesBackWithin beyond the expected time',
      },
    );
  }
}

function wrongNumber(target: string, { pidFile, match, count }: ProcessKillParameters, processes: readonly string[]): ChaosError {
  const pids = processes.map((process) => process.split('/')[0]).join(', ');
  if (pidFile !== undefined) {
    return new ChaosError('CHAOS_REFUSED', `${pidFile} on ${target} names no living process`, {
      target,
      hint: 'start it, or correct pidFile',
    });
  }
  return new ChaosError(
    'CHAOS_REFUSED',
    `${JSON.stringify(match)} matches ${processes.length === 1 ? '1 process' : `${processes.length} processes`} on ${target}, expected ${count}${pids && `: ${pids}`}`,
    {
      target,
      hint: 'make match exact, or set count',
    },
  );
}

/** No process is killed before every target is ours. */
export async function inject(context: FaultContext, undo: JsonObject): Promise<void> {
  const { operations, clock, mark } = context;
  const { targets } = Undo.parse(undo);
  for (const { target } of targets) await claim(context, target);
  for (const { target, processes } of targets) {
    const atMs = clock.monotonic();
    await operations.run(`kill-${target}`, { variables: { processes: processes.join('+') } });
    await mark(`killed-${target}`, { atMs });
  }
}

interface Seen {
  readonly gone: boolean;
  readonly evidence: readonly string[];
  readonly backAfter?: number;
}

export async function verify(context: FaultContext, undo: JsonObject): Promise<Effect> {
  const { targets } = Undo.parse(undo);
  const seen = await mapLimit(targets, watchedAtOnce, (killed) => watch(context, killed), context.signal);
  const times = seen.flatMap(({ backAfter }) => (backAfter === undefined ? [] : [backAfter]));
  return {
    effective: seen.every(({ gone }) => gone),
    evidence: seen.flatMap(({ evidence }) => evidence),
    ...(times.length === targets.length ? { measures: { restartedWithin: Math.round(Math.max(...times)) } } : {}),
  };
}

async function watch({ operations, clock, marks }: FaultContext, { target, processes }: Killed): Promise<Seen> {
  const pids = processes.map((process) => process.split('/')[0]).join(', ');
  const variables = { processes: processes.join('+') };
  const gone = await operations.run(`gone-${target}`, { variables, accept: [answers.found, answers.notFound] });
  if (gone.exitCode !== answers.found) return { gone: false, evidence: [`${target}: ${gone.stdout.trim()}`] };
  const since = marks.get(`killed-${target}`)?.atMs;
  const back = await operations.run(`watch-${target}`, { variables, accept: [answers.found, answers.notFound] });
  const elapsed = typeof since === 'number' ? clock.monotonic() - since : undefined;
  const after = elapsed === undefined ? '' : ` ${formatDuration(elapsed)} after the kill`;
  // Not back is a lower bound and still a number: prepare refused expectations that are longer than the watch.
  const said = back.exitCode === answers.found ? `is back as ${lines(back.stdout).join(', ')}${after}` : `has not come back${after}`;
  return {
    gone: true,
    evidence: [`${target}: process ${pids} is gone`, `${target}: ${said}`],
    ...(elapsed === undefined ? {} : { backAfter: elapsed }),
  };
}

/** Every target is tried, whatever happens on the others. */
export async function revert(context: FaultContext, undo: JsonObject): Promise<undefined> {
  const { targets } = Undo.parse(undo);
  for (const { target } of targets) context.operations.release(`hold-${target}`);
  const failures = await mapLimit(targets, watchedAtOnce, (killed) => bringBack(context, killed).then(nothing, caught), context.signal);
  const errors = failures.filter((failure) => failure !== undefined);
  if (errors.length > 0) throw new AggregateError(errors, 'a process could not be brought back');
}

async function bringBack({ step, operations, marks }: FaultContext, { target, processes }: Killed): Promise<void> {
  const look = { variables: { processes: processes.join('+') }, accept: [answers.found, answers.notFound] };
  // After any signal but KILL the old process may still be on its way out, and must not be taken for one that is back.
  if (step.parameters.signal !== 'KILL' && marks.has(`killed-${target}`)) await operations.run(`gone-${target}`, look);
  if (lines((await operations.run(`alive-${target}`)).stdout).length >= processes.length) return;
  const back = await operations.run(`await-${target}`, look);
  if (back.exitCode === answers.found || !operations.has(`restart-${target}`)) return;
  await operations.run(`restart-${target}`);
  await operations.run(`await-restart-${target}`, look);
}

function nothing(): undefined {
  return undefined;
}

function caught(error: unknown): unknown {
  return error ?? new ChaosError('CHAOS_INTERNAL', 'failed without a reason');
}

export async function verifyReverted({ operations }: FaultContext, undo: JsonObject): Promise<RevertCheck> {
  const evidence: string[] = [];
  let clean = true;
  for (const { target, processes } of Undo.parse(undo).targets) {
    const now = lines((await operations.run(`alive-${target}`)).stdout);
    const enough = now.length >= processes.length;
    clean &&= enough;
    if (enough) await endClaim(operations, target);
    evidence.push(enough ? `${target}: alive as ${now.join(', ')}` : `${target}: ${now.length} of ${processes.length} alive`);
  }
  return { clean, evidence, findings: [] };
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => /^\d+\/\S+$/.test(line));
}
