/** The few lines at the bottom of the terminal: where the run stands, the SLOs, the faults, what Ctrl-C would do. Pure. */

import { sparkline } from '../journal/fold-series.ts';
import type { FaultState, RunState, SloLevel } from '../journal/fold-state.ts';
import { faultName, oneLine, type Tone } from '../journal/fold-words.ts';
import type { PlannedSlo } from '../plan/plan.ts';
import { clip, displayWidth, pad } from './columns.ts';
import { interruptNow } from './interrupt.ts';
import { elapsed, sloNow, strictestLimit } from './run-line.ts';
import type { Style } from './style.ts';

export interface BlockOptions {
  readonly columns: number;
  readonly style: Style;
  /** Run time now, ms. */
  readonly now: number;
}

const sparkSpan = 60_000;
const mostLines = 6;

const levelTones: Readonly<Record<SloLevel, Tone>> = { ok: 'good', warning: 'warning', severe: 'bad', fatal: 'bad', 'no-data': 'warning' };

const stageTones: Readonly<Record<FaultState['stage'], Tone>> = {
  planned: 'muted',
  prepared: 'muted',
  injecting: 'warning',
  injected: 'warning',
  verified: 'warning',
  reverting: 'info',
  reverted: 'good',
  failed: 'bad',
};

/** Lines without line breaks, none wider than `columns`. */
export function liveBlock(state: RunState, options: BlockOptions): string[] {
  const { columns, style, now } = options;
  const phase = state.phases.at(-1);
  const name = oneLine(state.plan?.experiment.name ?? 'run');
  const since = phase === undefined ? '' : ` for ${elapsed(now - phase.t).slice(1)}`;
  const title = `${elapsed(now)}  ${name}  ${phase?.phase ?? 'starting'}${since}`;
  return [
    style('muted', '─'.repeat(Math.max(0, columns))),
    style('title', clip(title, columns)),
    ...shown(
      (state.plan?.slos ?? []).map((slo) => sloLine(state, slo, options)),
      'SLO',
      options,
    ),
    ...shown(
      [...state.faults.values()].map((fault) => faultLine(state, fault, options)),
      'fault',
      options,
    ),
    style('muted', clip(`Ctrl-C: ${interruptNow(state)}`, columns)),
  ];
}

/** Many SLOs must not push the rest off the screen. */
function shown(lines: readonly string[], noun: string, { columns, style }: BlockOptions): string[] {
  if (lines.length <= mostLines) return [...lines];
  return [...lines.slice(0, mostLines - 1), style('muted', clip(`  and ${lines.length - mostLines + 1} more ${noun}s`, columns))];
}

function sloLine(state: RunState, slo: PlannedSlo, { columns, style, now }: BlockOptions): string {
  const level = state.levels.get(slo.name) ?? 'no-data';
  const limit = strictestLimit(slo);
  const names = (state.plan?.slos ?? []).map((other) => displayWidth(sloNow(other, state)));
  const text = `  ${pad(sloNow(slo, state), Math.min(40, Math.max(0, ...names)))}  ${pad(limit === undefined ? 'no limit' : limit.text, 14)}`;
  const room = columns - displayWidth(text) - 2;
  const head = style(levelTones[level], clip(text, columns));
  if (room < 8) return head;
  const range = { from: now - sparkSpan, to: now, ...(limit === undefined ? {} : { top: limit.value }) };
  return `${head}  ${style('muted', sparkline(state.slos.get(slo.name) ?? [], Math.min(30, room), range))}`;
}

function faultLine(state: RunState, fault: FaultState, { columns, style, now }: BlockOptions): string {
  const since =
    fault.injecting === undefined || fault.clean === true ? '' : `, ${elapsed(now - fault.injecting.t).slice(1)} since injection`;
  const stage = fault.stage === 'failed' && fault.clean === false ? 'NOT reverted' : fault.stage;
  const text = oneLine(`${fault.step} ${faultName(state, fault.step)}: ${stage}${since}`);
  return style(stageTones[fault.stage], clip(`  ${text}`, columns));
}
