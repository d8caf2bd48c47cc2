/** The YAML head of a report: our keys are renewed, the keys of people (status, reviewers, whatever they add) stay. */

import { headlineOf } from '../journal/fold-headline.ts';
import type { RunState } from '../journal/fold-state.ts';
import { yamlString } from './escape.ts';

/** In this order; people's keys come first, so that the status is seen at once. */
function facts(state: RunState): readonly (readonly [key: string, value: string])[] {
  const { plan } = state;
  const headline = headlineOf(state);
  return [
    ['run', yamlString(state.run ?? 'unknown')],
    ['date', yamlString(state.started?.at ?? 'unknown')],
    ['environment', yamlString(plan?.environment.name ?? 'unknown')],
    ['tier', yamlString(plan?.environment.tier ?? 'unknown')],
    ['experiment', yamlString(plan?.experiment.name ?? 'unknown')],
    ['experiment-file', yamlString(plan?.experiment.file ?? 'unknown')],
    ['experiment-sha256', yamlString(plan?.experiment.sha256 ?? 'unknown')],
    ['plan-hash', yamlString(plan?.hash ?? 'unknown')],
    ['operator', yamlString(state.operator ?? 'unknown')],
    ['machine', yamlString(state.machine ?? 'unknown')],
    ['chaos-version', yamlString(state.version ?? 'unknown')],
    ['outcome', yamlString(headline.outcome)],
    ['verdict', yamlString(headline.verdict)],
    ['rollback', yamlString(headline.rollback)],
  ];
}

/** A head of its own, or `previous`'s with our keys renewed. Ends without a line break. */
export function frontMatter(state: RunState, previous?: string): string {
  const ours = facts(state);
  const keys = new Set(ours.map(([key]) => key));
  const people =
    previous === undefined ? newHead(state) : previous.split('\n').filter((line) => !keys.has(/^([a-z0-9-]+):/.exec(line)?.[1] ?? ''));
  return ['---', ...people, ...ours.map(([key, value]) => `${key}: ${value}`), '---'].join('\n');
}

function newHead(state: RunState): string[] {
  return [
    `title: ${yamlString(`Game day: ${state.plan?.experiment.title ?? 'unknown experiment'}`)}`,
    'status: Draft  # Draft -> In review -> Reviewed -> Closed',
    `owner: ${yamlString(state.plan?.experiment.owner ?? '')}`,
    'reviewers: []',
  ];
}

/** Splits a report into its head (without the dashes) and the rest; no head is `undefined`. */
export function splitFrontMatter(text: string): { readonly head: string | undefined; readonly rest: string } {
  const match = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(text);
  return match === null ? { head: undefined, rest: text } : { head: match[1] ?? '', rest: text.slice(match[0].length) };
}
