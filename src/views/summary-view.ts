/** The last lines of a run: what came out, what it means, what to do next. A rollback that is not clean comes first. */
import { assertNever } from '../core/assert-never.ts';
import { abortSentence, type Headline, headlineOf, keyNumbers } from '../journal/fold-headline.ts';
import type { RunState } from '../journal/fold-state.ts';
import { oneLine } from '../journal/fold-words.ts';
import { pad } from './columns.ts';
import { type Style, styleFor } from './style.ts';

export interface SummaryOptions {
  readonly color: boolean;
  readonly exitCode: number;
  /** What that code means, in a few words. */
  readonly exitMeaning: string;
  /** As people would open it; none when there is no report. */
  readonly reportPath?: string;
}

/** Ends with a line break. */
export function renderSummary(state: RunState, { color, exitCode, exitMeaning, reportPath }: SummaryOptions): string {
  const style = styleFor(color);
  const headline = headlineOf(state);
  const abort = abortSentence(state);
  const lines = [
    ...alarm(headline, state, style),
    style(toneOf(headline), verdictLine(headline, state)),
    ...headline.warnings.map((warning) => fact('', style('bad', warning))),
    fact('because', headline.because),
    fact('outcome', headline.outcome),
    ...(abort === undefined ? [] : [fact('stopped', abort)]),
    fact(
      'rollback',
      headline.untouched ? 'nothing was injected' : style(headline.rollback === 'clean' ? 'good' : 'bad', headline.rollback),
    ),
    ...keyNumbers(state).map((number, index) => fact(index === 0 ? 'numbers' : '', number)),
    ...(reportPath === undefined ? [] : [fact('report', oneLine(reportPath))]),
    fact('exit code', `${exitCode} (${exitMeaning})`),
    fact('next', next(headline, state, reportPath)),
  ];
  return `${lines.join('\n')}\n`;
}

function alarm({ rollback, remains }: Headline, state: RunState, style: Style): string[] {
  if (rollback === 'clean') return [];
  const title =
    rollback === 'incomplete' ? 'ROLLBACK INCOMPLETE: the system is still changed' : 'ROLLBACK UNKNOWN: the system may still be changed';
  return [
    style('bad', title),
    ...remains.map((line) => style('bad', `  - ${line}`)),
    style('bad', `  now: chaos recover ${state.run ?? ''}`.trimEnd()),
    '',
  ];
}

function verdictLine({ verdict }: Headline, state: RunState): string {
  const word = verdict.toUpperCase();
  const what = state.plan === undefined ? '' : `  ${state.plan.experiment.name} on ${state.plan.environment.name}`;
  return oneLine(`${word}${what}`) + (state.run === undefined ? '' : `, run ${state.run}`);
}

function toneOf({ verdict, rollback, warnings }: Headline): 'good' | 'warning' | 'bad' {
  if (verdict === 'held') return rollback === 'clean' && warnings.length === 0 ? 'good' : 'bad';
  return verdict === 'refuted' ? 'bad' : 'warning';
}

function next({ verdict, rollback }: Headline, state: RunState, reportPath: string | undefined): string {
  const run = state.run ?? 'RUN';
  const read = reportPath === undefined ? `chaos report ${run}` : `read ${oneLine(reportPath)}`;
  if (rollback !== 'clean') return `chaos recover ${run}`;
  switch (verdict) {
    case 'held':
      return `${read}; note what surprised you and check the runbook`;
    case 'refuted':
      return `${read}; write the action items while memories are fresh`;
    case 'inconclusive':
      return `${read}; mend what could not be measured, then run it again`;
    case 'not-tested':
      if (state.refused !== undefined) return 'mend what was refused, then run it again';
      if (state.baseline?.held === false) return `${read}; bring the system back inside its SLOs, then run it again`;
      return `${read}; see why the fault was not in effect, then run it again`;
    case 'no verdict':
      return state.recoveries.length > 0 ? `${read}; then run it again` : `chaos recover ${run}`;
    default:
      return assertNever(verdict);
  }
}

function fact(name: string, value: string): string {
  return `  ${pad(name, 10)} ${value}`;
}
