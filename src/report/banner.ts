/** The head of the page: is everything undone, what is the verdict, what are the numbers. The worst news comes first. */
import { assertNever } from '../core/assert-never.ts';
import { plural } from '../core/text.ts';
import { formatDuration } from '../core/units.ts';
import { injectedFaults } from '../journal/fold-facts.ts';
import { abortSentence, type Headline, headlineOf, keyNumbers } from '../journal/fold-headline.ts';
import type { RunState } from '../journal/fold-state.ts';
import { faultName } from '../journal/fold-words.ts';
import { code, safe } from './escape.ts';

export function banner(state: RunState): string {
  const headline = headlineOf(state);
  return [...rollbackAlarm(state, headline), ...verdictBox(state, headline)].join('\n');
}

function rollbackAlarm(state: RunState, { rollback, remains }: Headline): string[] {
  if (rollback === 'clean') return [];
  const what =
    rollback === 'incomplete' ? 'ROLLBACK INCOMPLETE: the system is still changed.' : 'ROLLBACK UNKNOWN: the system may still be changed.';
  return [
    '> [!CAUTION]',
    `> **${what}**`,
    ...remains.map((line) => `> - ${safe(line)}`),
    `> - Do now: ${code(`chaos recover ${state.run ?? ''}`.trim())}, then read the state back by hand.`,
    '',
  ];
}

function verdictBox(state: RunState, headline: Headline): string[] {
  const numbers = keyNumbers(state).map(safe);
  const rollback = headline.untouched ? 'nothing was injected' : `rollback ${headline.rollback}`;
  return [
    `> [!${alertOf(headline)}]`,
    `> **${verdictWord(headline)}** · ${safe(headline.outcome)} · ${rollback}`,
    ...headline.warnings.map((warning) => `> **${safe(warning)}**`).flatMap(ownParagraph),
    ...ownParagraph(`> ${safe(headline.because)}`),
    ...(numbers.length === 0 ? [] : ownParagraph(`> ${numbers.join(' · ')}`)),
  ];
}

function ownParagraph(line: string): string[] {
  return ['>', line];
}

function verdictWord({ verdict }: Headline): string {
  return verdict === 'no verdict' ? 'NO VERDICT' : `Hypothesis ${verdict.toUpperCase()}`;
}

/** The colour of the box: green only where nothing is to be said against it. */
function alertOf({ verdict, rollback, warnings }: Headline): 'TIP' | 'WARNING' | 'IMPORTANT' {
  if (verdict === 'held') return rollback === 'clean' && warnings.length === 0 ? 'TIP' : 'WARNING';
  return verdict === 'refuted' ? 'WARNING' : 'IMPORTANT';
}

/** A few sentences of facts, for people to start from. */
export function summary(state: RunState): string {
  const headline = headlineOf(state);
  const where = state.plan === undefined ? 'an unknown environment' : `environment ${code(state.plan.environment.name)}`;
  const faults = injectedFaults(state).map((fault) => code(faultName(state, fault.step)));
  const began = state.started === undefined ? '' : ` on ${state.started.at.slice(0, 10)} at ${state.started.at.slice(11, 19)} UTC`;
  const lasted =
    state.last === undefined || state.started === undefined ? '' : ` and took ${formatDuration(state.last.t - state.started.t)}`;
  const done =
    faults.length === 0
      ? 'Nothing was injected.'
      : `${plural(faults.length, 'fault')} ${faults.length === 1 ? 'was' : 'were'} injected: ${faults.join(', ')}.`;
  const abort = abortSentence(state);
  return [
    `The run was made in ${where}${began}${lasted}.`,
    done,
    ...(abort === undefined ? [] : [`It was stopped early: ${safe(abort)}.`]),
    judgement(headline),
    headline.untouched ? '' : `The rollback is ${headline.rollback}.`,
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

function judgement({ verdict }: Headline): string {
  switch (verdict) {
    case 'held':
      return 'Every clause of the hypothesis held.';
    case 'refuted':
      return 'At least one clause of the hypothesis was refuted.';
    case 'inconclusive':
      return 'The run cannot tell whether the hypothesis holds.';
    case 'not-tested':
      return 'The hypothesis was not tested.';
    case 'no verdict':
      return 'The run reached no verdict.';
    default:
      return assertNever(verdict);
  }
}
