/** Which hosts a selector means. Pure: the same selector over the same hosts chooses the same ones, in the order of the environment file. */
import { createHash } from 'node:crypto';
import { assertNever } from '../core/assert-never.ts';
import { plural } from '../core/text.ts';
import { didYouMean } from '../experiment/explain.ts';
import type { Selector } from '../experiment/selector.ts';
import type { PlannedHost } from '../plan/plan.ts';

export type SelectableHost = Pick<PlannedHost, 'id' | 'groups' | 'roles'>;
/** By host. */
export type Labels = Readonly<Record<string, Readonly<Record<string, string>>>>;

export type SelectionProblem =
  | {
      readonly kind: 'unknown-name';
      readonly what: 'host' | 'group' | 'role' | 'label';
      readonly name: string;
      readonly known: readonly string[];
    }
  | { readonly kind: 'unknown-exclude'; readonly name: string; readonly known: readonly string[] }
  /** All that matched were excluded, or no host has all the labels together. */
  | { readonly kind: 'none-left'; readonly matched: number }
  | { readonly kind: 'too-few'; readonly asked: number; readonly matched: number }
  | { readonly kind: 'rounds-to-zero'; readonly ratio: number; readonly matched: number };

export type Selection =
  | { readonly ok: true; readonly targets: readonly string[] }
  | { readonly ok: false; readonly problem: SelectionProblem };

/** The hosts that `selector` means: at least one, never more than asked for. */
export function selectTargets(selector: Selector, hosts: readonly SelectableHost[], labels: Labels): Selection {
  const unknown = unknownName(selector, hosts, labels);
  if (unknown !== undefined) return { ok: false, problem: unknown };

  const matched = hosts.filter((host) => matches(selector, host, labels));
  const excluded = new Set(selector.exclude ?? []);
  const candidates = matched.filter((host) => !excluded.has(host.id)).map((host) => host.id);
  if (candidates.length === 0) return { ok: false, problem: { kind: 'none-left', matched: matched.length } };
  return take(selector, candidates);
}

/** Sentence and help for people. */
export function describeSelectionProblem(problem: SelectionProblem): { readonly summary: string; readonly detail?: string } {
  switch (problem.kind) {
    case 'unknown-name':
      return withHelp(
        problem.what === 'role'
          ? `no host holds the role ${JSON.stringify(problem.name)}`
          : `no ${problem.what} ${JSON.stringify(problem.name)}`,
        problem,
      );
    case 'unknown-exclude':
      return withHelp(`exclude names ${JSON.stringify(problem.name)}, which is no host`, problem);
    case 'none-left':
      return { summary: problem.matched === 0 ? 'no host matches' : `no host is left: all ${problem.matched} that match are excluded` };
    case 'too-few':
      return {
        summary: `${plural(problem.asked, 'host')} asked for, but only ${problem.matched} ${problem.matched === 1 ? 'matches' : 'match'}`,
      };
    case 'rounds-to-zero':
      return {
        summary: `${Number((problem.ratio * 100).toFixed(6))}% of ${plural(problem.matched, 'host')} rounds down to none`,
        detail: `use count: 1, or at least ${Math.ceil(100 / problem.matched)}%`,
      };
    default:
      return assertNever(problem);
  }
}

function withHelp(summary: string, problem: { readonly name: string; readonly known: readonly string[] }) {
  const detail = didYouMean(problem.name, problem.known, 'there are');
  return detail === undefined ? { summary } : { summary, detail };
}

function unknownName(selector: Selector, hosts: readonly SelectableHost[], labels: Labels): SelectionProblem | undefined {
  const check = (
    what: 'host' | 'group' | 'role' | 'label',
    name: string | undefined,
    known: readonly string[],
  ): SelectionProblem | undefined => (name === undefined || known.includes(name) ? undefined : { kind: 'unknown-name', what, name, known });
  const ids = hosts.map((host) => host.id);
  const allLabels = unique(hosts.flatMap((host) => labelsOf(labels, host.id)));
  const [missing] = [
    check('host', selector.host, ids),
    check('group', selector.group, unique(hosts.flatMap((host) => host.groups))),
    check('role', selector.role, unique(hosts.flatMap((host) => host.roles))),
    ...Object.entries(selector.label ?? {}).map((label) => check('label', label.join(': '), allLabels)),
  ].filter((problem) => problem !== undefined);
  if (missing !== undefined) return missing;
  // A misspelt exception would leave in what was meant to be spared.
  const stray = selector.exclude?.find((name) => !ids.includes(name));
  return stray === undefined ? undefined : { kind: 'unknown-exclude', name: stray, known: ids };
}

function matches(selector: Selector, host: SelectableHost, labels: Labels): boolean {
  if (selector.host !== undefined) return host.id === selector.host;
  if (selector.group !== undefined) return host.groups.includes(selector.group);
  if (selector.role !== undefined) return host.roles.includes(selector.role);
  const own = labelsOf(labels, host.id);
  return Object.entries(selector.label ?? {}).every((label) => own.includes(label.join(': ')));
}

function take(selector: Selector, candidates: readonly string[]): Selection {
  if (selector.random !== undefined) return takeRandom(selector.random, candidates);
  const matched = candidates.length;
  let asked = selector.count ?? matched;
  if (selector.percent !== undefined) {
    // 29% of 100 is 28.999… in floating point.
    asked = Math.floor(matched * selector.percent + 1e-9);
    if (asked === 0) return { ok: false, problem: { kind: 'rounds-to-zero', ratio: selector.percent, matched } };
  }
  if (asked > matched) return { ok: false, problem: { kind: 'too-few', asked, matched } };
  return { ok: true, targets: candidates.slice(0, asked) };
}

/** Each host draws a number from its name and the seed; the lowest are taken. A host that joins or leaves does not reshuffle the others. */
function takeRandom(random: { readonly count: number; readonly seed: number }, candidates: readonly string[]): Selection {
  if (random.count > candidates.length) return { ok: false, problem: { kind: 'too-few', asked: random.count, matched: candidates.length } };
  const draw = (id: string): string => createHash('sha256').update(`${random.seed}\0${id}`).digest('hex');
  const drawn = candidates.map((id) => ({ id, ticket: draw(id) })).sort((a, b) => (a.ticket < b.ticket ? -1 : 1));
  const chosen = new Set(drawn.slice(0, random.count).map(({ id }) => id));
  return { ok: true, targets: candidates.filter((id) => chosen.has(id)) };
}

function labelsOf(labels: Labels, host: string): string[] {
  return Object.hasOwn(labels, host) ? Object.entries(labels[host] ?? {}).map((label) => label.join(': ')) : [];
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
