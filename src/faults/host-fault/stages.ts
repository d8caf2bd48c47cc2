/** The stages of every host fault, over the operations that its plan spells out. */
import * as z from 'zod';
import { ChaosError, describeError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { mapLimit } from '../../core/limit.ts';
import { plural, tail } from '../../core/text.ts';
import type { Effect, FaultContext, Measures, OperationResult, ReadBack, RevertCheck } from '../contract.ts';
import { fuseInput, pullAnswer } from '../fuse/answers.ts';
import { claimedByOther } from '../fuse/claim.ts';

/** The state that `look` saw, by target. */
const Undo = z.strictObject({ targets: z.array(z.strictObject({ target: z.string(), saved: z.record(z.string(), z.string()) })) });
type Undo = z.infer<typeof Undo>;
type Target = Undo['targets'][number];

/** Targets worked on at once; each has a connection of its own. */
const atOnce = 64;
/** `armed`: every target has its fuse, so from then on any of them may have been injected. */
const armed = 'armed';
/** Of one answer; a target that talks on must not fill the journal. */
const mostFacts = 20;
const answers = { yes: 0, no: 3 } as const;

export async function prepare(context: FaultContext): Promise<JsonObject> {
  const seen = await onEach(context, context.step.targets, (target) => look(context, target));
  const refusals = seen.flatMap((one) => ('refused' in one ? [one.refused] : []));
  if (refusals.length > 0) throw new ChaosError('CHAOS_REFUSED', refusals.join('; '));
  return { targets: seen.filter((one) => 'saved' in one) } satisfies Undo;
}

async function look({ operations }: FaultContext, target: string): Promise<Target | { readonly refused: string }> {
  const foreign = await claimedByOther(operations, target);
  if (foreign !== undefined) return { refused: `${target}: ${foreign}` };
  const looked = await operations.run(`look-${target}`, { accept: [answers.yes, answers.no] });
  const refused = words(looked, 'refuse');
  if (looked.exitCode === answers.no || refused.length > 0) return { refused: `${target}: ${refused.join('; ') || tail(looked.stderr)}` };
  const saved = words(looked, 'save').map((line): [string, string] => {
    const [name = '', ...rest] = line.split(' ');
    return [name, rest.join(' ')];
  });
  return { target, saved: Object.fromEntries(saved) };
}

/** All fuses first, then all injections at one moment: a target that cannot be armed leaves every other one untouched. */
export async function inject(context: FaultContext, undo: JsonObject): Promise<void> {
  const { operations, step, mark } = context;
  const { targets } = Undo.parse(undo);
  await onEach(context, targets, async ({ target, saved }) => {
    const undoing = operations.text(`undo-${target}`, saved);
    const check = operations.text(`check-${target}`, saved);
    await operations.run(`arm-${target}`, { stdin: fuseInput({ about: { fault: step.fault, target }, undo: undoing, check }) });
  });
  await mark(armed);
  await onEach(context, targets, ({ target }) => operations.hold(`hold-${target}`));
  await operations.runTogether(targets.map(({ target, saved }) => ({ id: `inject-${target}`, options: { variables: saved } })));
}

export async function verify(context: FaultContext, undo: JsonObject): Promise<Effect> {
  const { operations } = context;
  const measures: Record<string, number> = {};
  const results = await onEach(context, Undo.parse(undo).targets, async ({ target, saved }) => {
    const result = await operations.run(`verify-${target}`, { variables: saved, accept: [answers.yes, answers.no] });
    collect(measures, words(result, 'measure'));
    return { effective: result.exitCode === answers.yes, evidence: facts(target, result) };
  });
  return {
    effective: results.every(({ effective }) => effective),
    evidence: results.flatMap(({ evidence }) => evidence),
    ...(Object.keys(measures).length === 0 ? {} : { measures: measures satisfies Measures }),
  };
}

/** Of several targets the worst, that is the largest, counts. */
function collect(measures: Record<string, number>, lines: readonly string[]): void {
  for (const line of lines) {
    const [name = '', value = ''] = line.split(' ');
    const number = Number(value);
    if (value !== '' && Number.isFinite(number)) measures[name] = Math.max(measures[name] ?? Number.NEGATIVE_INFINITY, number);
  }
}

/** Every target is tried, whatever happens on the others. */
export async function revert(context: FaultContext, undo: JsonObject): Promise<ReadBack> {
  const seen = new Map<string, readonly string[]>();
  const errors: unknown[] = [];
  await onEach(context, Undo.parse(undo).targets, async (target) => {
    try {
      const saw = await revertOn(context, target);
      if (saw !== undefined) seen.set(target.target, saw);
    } catch (error) {
      errors.push(error);
    }
  });
  if (errors.length > 0) throw new AggregateError(errors, errors.map(describeError).join('; '));
  return seen;
}

/** What the fuse's check saw, when it undid and checked now. */
async function revertOn({ operations, marks }: FaultContext, { target, saved }: Target): Promise<readonly string[] | undefined> {
  operations.release(`hold-${target}`);
  const { reverted, saw, absent } = pullAnswer(await operations.run(`pull-${target}`, { accept: 'any' }));
  if (reverted) return saw;
  // Never armed: nothing can have been injected here, and whatever is there belongs to somebody else.
  if (absent && !marks.has(armed)) return undefined;
  await operations.run(`undo-${target}`, { variables: saved });
  return undefined;
}

/** All are looked at before any fuse is removed: what people wait for is to know that it is gone everywhere. */
export async function verifyReverted(context: FaultContext, undo: JsonObject, seen: ReadBack = new Map()): Promise<RevertCheck> {
  const { operations, marks } = context;
  const injected = marks.has(armed);
  const results = await onEach(context, Undo.parse(undo).targets, async ({ target, saved }) => {
    if (!injected) return { target, clean: true, evidence: [`${target}: nothing was injected`] };
    const saw = seen.get(target);
    if (saw !== undefined) return { target, clean: true, evidence: factsOf(target, saw) };
    const checked = await operations.run(`check-${target}`, { variables: saved, accept: [answers.yes, answers.no] });
    return { target, clean: checked.exitCode === answers.yes, evidence: facts(target, checked) };
  });
  await onEach(
    context,
    results.filter(({ clean }) => clean),
    ({ target }) => operations.run(`forget-${target}`, injected ? {} : { accept: 'any' }),
  );
  return { clean: results.every(({ clean }) => clean), evidence: results.flatMap(({ evidence }) => evidence), findings: [] };
}

function onEach<T, R>({ signal }: FaultContext, targets: readonly T[], work: (target: T) => Promise<R>): Promise<R[]> {
  return mapLimit(targets, atOnce, work, signal);
}

/** What follows the word on the lines that begin with it. */
function words({ stdout }: OperationResult, word: string): string[] {
  return lines(stdout).flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
}

function facts(target: string, { stdout }: OperationResult): string[] {
  return factsOf(target, lines(stdout));
}

function factsOf(target: string, said: readonly string[]): string[] {
  const told = said.filter((line) => !/^(?:save|measure|refuse) /.test(line));
  const more = told.length - mostFacts;
  return [
    ...told.slice(0, mostFacts).map((line) => `${target}: ${tail(line, 200)}`),
    ...(more > 0 ? [`${target}: and ${plural(more, 'more line')}`] : []),
  ];
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
