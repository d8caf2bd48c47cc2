/** What is sent to a fuse over standard input, and what its answers mean. Pure. */
import { cleanText, tail } from '../../core/text.ts';
import source from './fuse.sh?raw';

/** What goes over the wire: without comments, half the size. */
const program = source
  .split('\n')
  .filter((line) => line.startsWith('#!') || !/^\s*(?:#|$)/.test(line))
  .join('\n');

export interface FuseTexts {
  /** Facts for whoever finds the fuse; values of `[A-Za-z0-9._:@/+-]`, everything else becomes `_`. */
  readonly about: Readonly<Record<string, string>>;
  /** POSIX sh. Idempotent. */
  readonly undo: string;
  /** Exit 0 when nothing is left. */
  readonly check: string;
}

/** Standard input of `list`, or, with texts, of `arm`. */
export function fuseInput(texts?: FuseTexts): string {
  if (texts === undefined) return `${program}\n`;
  const about = Object.entries(texts.about).map(([name, value]) => `${name}=${value.replaceAll(/[^A-Za-z0-9._:@/+-]/g, '_')}`);
  return [program, '#:about', ...about, '#:undo', texts.undo, '#:check', texts.check, '#:end', ''].join('\n');
}

export interface PullAnswer {
  readonly reverted: boolean;
  /** What its check printed, a line an entry, when it was this pull that undid and checked; `undefined` when it had reverted before, or could not. */
  readonly saw: readonly string[] | undefined;
  /** There is no fuse of that name. */
  readonly absent: boolean;
}

export function pullAnswer({ exitCode, stdout }: { readonly exitCode: number | null; readonly stdout: string }): PullAnswer {
  const reverted = exitCode === 0;
  const now = reverted && /^reverted: /m.test(stdout);
  const saw = now ? stdout.split('\n').flatMap((line) => (line.startsWith('saw ') ? [line.slice('saw '.length)] : [])) : undefined;
  return { reverted, saw, absent: exitCode === 3 && /^absent$/m.test(stdout) };
}

/** One line of `list`. */
export interface FuseStatus {
  readonly id: string;
  readonly run: string;
  readonly state: string;
  readonly watched: boolean;
  readonly held: boolean;
  /** Seconds since it was armed; `undefined` when the target was restarted since. */
  readonly ageS: number | undefined;
  /** What was written down when it was armed. */
  readonly about: Readonly<Record<string, string>>;
}

/** `undefined` when the list is not complete: then nothing is known. */
export function parseFuses(stdout: string): readonly FuseStatus[] | undefined {
  const lines = cleanText(stdout).split('\n');
  if (!lines.includes('end')) return undefined;
  return lines.filter((line) => line.startsWith('fuse ')).map(parseFuse);
}

function parseFuse(line: string): FuseStatus {
  const words = line.split(' ').filter((word) => word.includes('='));
  const {
    id = '',
    state = 'unknown',
    watcher,
    holder,
    age = '-',
    left: _left,
    ...about
  } = Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)])) as Record<
    string,
    string | undefined
  >;
  const known = Object.entries(about).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return {
    id,
    run: id.replace(/-.*$/, ''),
    state,
    watched: watcher === 'alive',
    held: holder === 'alive',
    ageS: age === '-' ? undefined : Number(age),
    about: Object.fromEntries(known),
  };
}

/** Why a fault may not be injected on a target that answered `stdout`; `undefined` when it may. */
export function foreignFuse(stdout: string, runId: string): string | undefined {
  const fuses = parseFuses(stdout);
  if (fuses === undefined) return `its fuses cannot be listed: ${tail(stdout, 400) || 'no answer'}`;
  const foreign = fuses.find(({ run, state }) => run !== runId && state !== 'reverted');
  if (foreign === undefined) return undefined;
  const { run, state, ageS, about } = foreign;
  const since = ageS === undefined ? 'before the target was restarted' : `${ageS} s ago`;
  return `run ${run} has a fault here (${about.fault ?? 'unknown'}, ${state}, armed ${since}): wait for its end, or chaos recover ${run}`;
}
