/** One event as one line, the same in a log and above the live block. */
import { formatQuantity } from '../core/units.ts';
import type { JournalEvent } from '../journal/events.ts';
import type { RunState } from '../journal/fold-state.ts';
import { describeEvent, oneLine } from '../journal/fold-words.ts';
import type { PlannedSlo } from '../plan/plan.ts';
import { clip, pad, wrap } from './columns.ts';
import type { Style } from './style.ts';

/** Longer texts (a script as one line) are cut: the journal has them whole. */
const longest = 300;
const mostRows = 4;

/** `undefined` for what needs no line. With `columns`, broken into rows that are no wider; else one line. No line break at the end. */
export function eventLine(event: JournalEvent, state: RunState, style: Style, columns?: number): string | undefined {
  const sentence = describeEvent(event, state);
  if (sentence === undefined) return undefined;
  const stamp = pad(elapsed(event.t), 8);
  const text = clip(`${sentence.source}: ${sentence.text}`, longest);
  if (columns === undefined) return `${style('muted', stamp)} ${style(sentence.tone, text)}`;
  const room = columns - stamp.length - 1;
  if (room < 16) return style(sentence.tone, clip(text, columns));
  const rows = wrap(text, room);
  const shown = rows.length <= mostRows ? rows : [...rows.slice(0, mostRows - 1), clip(rows.slice(mostRows - 1).join(' '), room)];
  return shown
    .map((row, index) => `${index === 0 ? style('muted', stamp) : ' '.repeat(stamp.length)} ${style(sentence.tone, row)}`)
    .join('\n');
}

/** `+0:08.3`, `+12:30.0`, `+1:02:03.4` */
export function elapsed(ms: number): string {
  const tenths = Math.max(0, Math.floor(ms / 100));
  const [hours, minutes, seconds] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, (tenths % 600) / 10];
  const tail = seconds.toFixed(1).padStart(4, '0');
  return hours > 0 ? `+${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `+${minutes}:${tail}`;
}

/** `fatal > 5%`: the limit that matters most. */
export function strictestLimit(slo: PlannedSlo): { readonly value: number; readonly text: string } | undefined {
  const level = (['fatal', 'severe', 'warning'] as const).find((candidate) => slo[candidate] !== undefined);
  const limit = level === undefined ? undefined : slo[level];
  return limit === undefined ? undefined : { value: limit.value, text: `${level} ${limit.text}` };
}

/** `checkout-errors 0.4 %` as measured last. */
export function sloNow(slo: PlannedSlo, state: RunState): string {
  const value = state.slos.get(slo.name)?.at(-1)?.value;
  return `${oneLine(slo.name)} ${value === undefined ? 'no data' : formatQuantity(value, slo.unit)}`;
}
