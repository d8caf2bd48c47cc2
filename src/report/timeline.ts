/** What happened, in order and in UTC, each line with who says so; and the run's clocks t0–t9. */
import { formatDuration } from '../core/units.ts';
import { intervalsOf, type Stamp, type Stamps, stampsOf } from '../journal/fold-facts.ts';
import type { RunState } from '../journal/fold-state.ts';
import { describeEvent } from '../journal/fold-words.ts';
import { safe, table } from './escape.ts';

interface Row {
  readonly t: number;
  readonly at: string;
  readonly source: string;
  readonly text: string;
}

const longest = 220;

export function timeline(state: RunState): string {
  const said = state.log.flatMap((event): Row[] => {
    const sentence = describeEvent(event, state);
    return sentence === undefined ? [] : [{ t: event.t, at: event.at, source: sentence.source, text: sentence.text }];
  });
  const { t2 } = stampsOf(state);
  const bad = t2 === undefined ? [] : [{ t: t2, at: timeAt(state, t2), source: 'probe', text: 'first bad sample of an SLO (t2)' }];
  const rows = insert(said, bad).map(({ t, at, source, text }) => [clock(at), relative(t), safe(source), safe(shorten(text))]);
  return table(['UTC', '+t', 'Source', 'Event'], rows, 'The journal is empty.');
}

/** By time, without moving what the journal wrote in its own order. */
function insert(rows: readonly Row[], extra: readonly Row[]): Row[] {
  const all = [...rows];
  for (const row of extra) {
    const index = all.findIndex((other) => other.t > row.t);
    all.splice(index < 0 ? all.length : index, 0, row);
  }
  return all;
}

const meanings: readonly (readonly [stamp: Stamp | 't4' | 't5', meaning: string])[] = [
  ['t0', 'injection requested'],
  ['t1', 'injection proved effective'],
  ['t2', 'first bad sample of an SLO became known'],
  ['t3', 'an SLO crossed a severe or fatal level, or the abort rule decided'],
  ['t4', 'alert fired'],
  ['t5', 'a person declared detection'],
  ['t6', 'abort decided'],
  ['t7', 'all faults removed, verified'],
  ['t8', 'SLOs back inside, for good'],
  ['t9', 'everything restored, verified'],
];

export function responseTimes(state: RunState): string {
  const stamps = stampsOf(state);
  const rows = meanings.map(([stamp, meaning]) => [stamp, meaning, ...stampCells(state, stamps, stamp)]);
  const derived = intervalsOf(stamps, state.abort !== undefined).map((interval) => [
    interval.name,
    `${interval.to} − ${interval.from}`,
    formatDuration(interval.ms),
    interval.meaning,
  ]);
  return [
    table(['', 'Meaning', 'UTC', '+t'], rows, ''),
    table(['Time', 'From', 'This run', 'Meaning'], derived, 'No interval has both of its ends.'),
    'Values of this one run (n = 1), not means. Times of samples are as good as the probe is frequent.',
  ].join('\n\n');
}

function stampCells(state: RunState, stamps: Stamps, stamp: Stamp | 't4' | 't5'): [string, string] {
  if (stamp === 't4' || stamp === 't5') return ['not measured', ''];
  const t = stamps[stamp];
  return t === undefined ? ['did not happen', ''] : [clock(timeAt(state, t)), relative(t)];
}

/** The wall time of a moment of the run, from its start; not from a later event, whose clock may have been set. */
function timeAt(state: RunState, t: number): string {
  const start = Date.parse(state.started?.at ?? '') - (state.started?.t ?? 0);
  return Number.isNaN(start) ? '' : new Date(start + t).toISOString();
}

/** The time of day, to the millisecond; the date stands in the report's head. */
function clock(at: string): string {
  return /T(\d\d:\d\d:\d\d(?:\.\d+)?)/.exec(at)?.[1] ?? safe(at);
}

function relative(t: number): string {
  return `+${(t / 1_000).toFixed(1)}s`;
}

function shorten(text: string): string {
  return text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
}
