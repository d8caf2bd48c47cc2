/**
 * The report of a run: markdown, and charts as files beside it. A pure function of the run's state and of the report that is there
 * already; the same input gives the same bytes. Facts are in marked blocks that are renewed, everything else belongs to people.
 */
import { plural } from '../core/text.ts';
import type { RunState } from '../journal/fold-state.ts';
import { appendix } from './appendix.ts';
import { banner, summary } from './banner.ts';
import { assemble, block, type Part, prose, renew } from './blocks.ts';
import { safe } from './escape.ts';
import { frontMatter, splitFrontMatter } from './front-matter.ts';
import { blastRadius, hypothesis } from './hypothesis.ts';
import { impact } from './impact.ts';
import { safety } from './safety.ts';
import { type ReportFile, sloSection } from './slos.ts';
import { responseTimes, timeline } from './timeline.ts';

export type { ReportFile } from './slos.ts';

export interface Report {
  readonly markdown: string;
  /** To be written beside the markdown, which links to them. */
  readonly files: readonly ReportFile[];
}

/** `previous` is the report that stands there now: what people wrote in it is kept byte for byte. */
export function renderReport(state: RunState, previous?: string): Report {
  const slos = sloSection(state);
  const parts = partsOf(state, slos.markdown);
  if (previous === undefined || previous.trim() === '') {
    return { markdown: `${frontMatter(state)}\n\n${assemble(parts)}`, files: slos.files };
  }
  const { head, rest } = splitFrontMatter(previous);
  return { markdown: `${frontMatter(state, head)}\n${head === undefined ? '\n' : ''}${renew(rest, parts)}`, files: slos.files };
}

function partsOf(state: RunState, slos: string): Part[] {
  const { plan } = state;
  const section = (title: string, name: string, body: string): Part[] => [prose(`## ${title}`), block(name, body)];
  return [
    // Above the title: whoever opens the page must see first whether the system is still changed.
    block('verdict', banner(state)),
    prose(`# ${safe(plan?.experiment.title ?? 'Game day')}`),
    prose('## Summary'),
    block('summary', summary(state)),
    prose('_In your own words, three to five sentences:_'),
    ...section('Hypothesis and result', 'hypothesis', hypothesis(state)),
    ...section('Blast radius', 'blast-radius', blastRadius(state)),
    ...section('Service levels', 'service-levels', slos),
    ...section('Timeline', 'timeline', timeline(state)),
    ...section('Impact', 'impact', impact(state)),
    ...section('Response times', 'response-times', responseTimes(state)),
    ...section('Safety review', 'safety', safety(state)),
    prose(forPeople(state)),
    ...section('Appendix', 'appendix', appendix(state)),
  ];
}

/** Prompts, not facts; blameless, and without a "root cause". */
function forPeople(state: RunState): string {
  const runbook = state.plan?.experiment.runbook;
  const clauses = (state.judgement?.clauses ?? []).filter((clause) => clause.result !== 'held').length;
  const hint = clauses === 0 ? '' : `${plural(clauses, 'clause')} above did not hold: each deserves an item.\n\n`;
  return `## Contributing conditions

_Several, not one: what made this possible, what made it better or worse? Conditions, not persons._

-

## What went well

-

## What did not go well

-

## Where we got lucky

_Which limit was nearly reached? What if another target had been hit, or at another hour?_

-

## Surprises

_What did you expect to see, and what did you see instead?_

-

## Action items

${hint}| Id | Action (verb first) | Type (prevent, detect, mitigate, process) | Owner | Due | Ticket | Experiment that will prove it |
|---|---|---|---|---|---|---|
| 1 |  |  |  |  |  |  |

## Runbook check

_${runbook === undefined ? 'The experiment names no runbook: write one, or say why none is needed.' : `Runbook: ${safe(runbook)}.`} For each step: was it used, was it right, what would you change?_

| Step | Used | Right | Change |
|---|---|---|---|
|  |  |  |  |`;
}
