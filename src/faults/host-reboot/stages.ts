import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { ChaosError, describeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { mapLimit } from '../../core/limit.ts';
import { formatDuration, satisfies } from '../../core/units.ts';
import type { Effect, FaultContext, RevertCheck } from '../contract.ts';
import { durationMs } from '../fields.ts';
import { claim, claimedByOther, endClaim } from '../fuse/claim.ts';
import { HostRebootParameters } from './schema.ts';

/** Which start of each host was seen before. */
const Undo = z.strictObject({ targets: z.array(z.strictObject({ target: z.string(), boot: z.string() })) });
type Target = z.infer<typeof Undo>['targets'][number];

const atOnce = 16;
const lookEveryMs = 1_000;

export async function prepare(context: FaultContext): Promise<JsonObject> {
  const { step, operations, signal } = context;
  refuseBlindExpectation(context);
  const looked = await mapLimit(
    step.targets,
    atOnce,
    async (target) => ({
      target,
      other: await claimedByOther(operations, target),
      ...(await operations.run(`look-${target}`, { accept: [0, 3] })),
    }),
    signal,
  );
  const own = ownBoot();
  const refusals = looked.flatMap(({ target, other, exitCode, stdout }) => {
    if (other !== undefined) return [`${target}: ${other}`];
    if (exitCode !== 0) return [`${target}: ${stdout.trim()}`];
    if (stdout.trim() === own) return [`${target} is the machine that this runner runs on: it would not see the end`];
    return [];
  });
  if (refusals.length > 0) throw new ChaosError('CHAOS_REFUSED', refusals.join('; '));
  return { targets: looked.map(({ target, stdout }) => ({ target, boot: stdout.trim() })) };
}

/** Beyond `backWithin` nobody looks: a longer expectation could never be refuted. */
function refuseBlindExpectation({ step }: FaultContext): void {
  const { backWithin } = HostRebootParameters.parse(step.parameters);
  const blind = step.expectations.find(
    ({ measure, comparison }) => measure === 'backWithin' && satisfies(comparison, durationMs(backWithin) + 1),
  );
  if (blind === undefined) return;
  throw new ChaosError(
    'CHAOS_REFUSED',
    `expect backWithin ${blind.comparison.text} cannot be checked: it is watched for ${backWithin} only`,
    {
      hint: 'raise the parameter backWithin beyond the expected time',
    },
  );
}

/** `undefined` where the runner's system has no such thing. */
function ownBoot(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
}

export async function inject(context: FaultContext, undo: JsonObject): Promise<void> {
  const { operations, clock, mark, signal } = context;
  const { targets } = Undo.parse(undo);
  await mapLimit(targets, atOnce, ({ target }) => claim(context, target), signal);
  for (const { target } of targets) {
    operations.release(`hold-${target}`);
    operations.mayLeave(target);
  }
  await mark('rebooting', { atMs: clock.monotonic() });
  await operations.runTogether(targets.map(({ target }) => ({ id: `reboot-${target}` })));
}

export async function verify(context: FaultContext, undo: JsonObject): Promise<Effect> {
  const { step, marks, clock, signal } = context;
  const within = durationMs(HostRebootParameters.parse(step.parameters).backWithin);
  const began = marks.get('rebooting')?.atMs;
  const since = typeof began === 'number' ? began : clock.monotonic();
  const seen = await mapLimit(Undo.parse(undo).targets, atOnce, (target) => watch(context, target, since + within), signal);
  const waited = seen.map(({ atMs }) => atMs - since);
  return {
    // Unreachable to the end is an effect too, and the revert check will not be clean.
    effective: seen.every(({ became }) => became !== 'as-before'),
    evidence: seen.map(
      ({ target, became, atMs }) => `${target}: ${words[became]} ${formatDuration(Math.round(atMs - since))} after the command`,
    ),
    measures: { backWithin: Math.round(Math.max(...waited)) },
  };
}

const words = { restarted: 'restarted and can be logged in to', 'as-before': 'was not restarted', away: 'cannot be logged in to' } as const;

interface Seen {
  readonly target: string;
  readonly became: keyof typeof words;
  readonly atMs: number;
}

/** Until it is another start of the host, or the time is over. */
async function watch(context: FaultContext, { target, boot }: Target, deadline: number): Promise<Seen> {
  const { operations, clock, signal } = context;
  let became: Seen['became'] = 'as-before';
  for (;;) {
    const now = await bootOf(context, `boot-${target}`);
    if (now !== undefined && now !== boot) {
      operations.returned(target);
      return { target, became: 'restarted', atMs: clock.monotonic() };
    }
    became = now === undefined ? 'away' : 'as-before';
    if (clock.monotonic() >= deadline) return { target, became, atMs: clock.monotonic() };
    await clock.sleep(lookEveryMs, signal);
  }
}

/** `undefined` while it cannot be asked. */
async function bootOf({ operations, signal }: FaultContext, operation: string): Promise<string | undefined> {
  try {
    const { stdout } = await operations.run(operation);
    return stdout.trim();
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Nothing can be taken back; what can be done is to wait for the host, as long as a rollback may take. */
export async function revert(context: FaultContext, undo: JsonObject): Promise<undefined> {
  const { step, marks, clock, operations, signal } = context;
  if (!marks.has('rebooting')) return;
  const deadline = clock.monotonic() + durationMs(HostRebootParameters.parse(step.parameters).backWithin);
  const { targets } = Undo.parse(undo);
  for (const { target } of targets) operations.mayLeave(target);
  await mapLimit(
    targets,
    atOnce,
    async ({ target }) => {
      while ((await bootOf(context, `back-${target}`)) === undefined && clock.monotonic() < deadline)
        await clock.sleep(lookEveryMs, signal);
    },
    signal,
  );
}

export async function verifyReverted({ operations, signal }: FaultContext, undo: JsonObject): Promise<RevertCheck> {
  const checks = await mapLimit(
    Undo.parse(undo).targets,
    atOnce,
    async ({ target, boot }) => {
      try {
        const [now = '', uptime = ''] = (await operations.run(`up-${target}`)).stdout.split('\n');
        const up = formatDuration(Math.round(Number(uptime.split(' ')[0])) * 1_000);
        await endClaim(operations, target);
        return { clean: true, evidence: `${target}: up for ${up}, ${now.trim() === boot ? 'never restarted' : 'restarted'}` };
      } catch (error) {
        signal.throwIfAborted();
        return { clean: false, evidence: `${target}: ${describeError(error)}` };
      }
    },
    signal,
  );
  return { clean: checks.every(({ clean }) => clean), evidence: checks.map(({ evidence }) => evidence), findings: [] };
}
