/** Was it safe: what the guards said, how near the SLOs came to their limits, and the proof that everything is undone. */
import { formatDuration, formatQuantity } from '../core/units.ts';
import { closestApproach, injectedFaults, stampsOf } from '../journal/fold-facts.ts';
import { type FuseState, fusesOf } from '../journal/fold-fuses.ts';
import type { FaultState, RunState } from '../journal/fold-state.ts';
import { falseAbortText, faultName } from '../journal/fold-words.ts';
import { code, safe, table } from './escape.ts';

export function safety(state: RunState): string {
  return [
    '**Guards**',
    guards(state),
    '**Closest approach to the limits**',
    approaches(state),
    abortRules(state),
    '**Proof of the rollback**',
    proofs(state),
    fuses(state),
    findings(state),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** The same answer given again before injection is one row. */
function guards(state: RunState): string {
  const rows = new Map<string, number>();
  for (const { guard, allowed, reason, remedy } of state.guards) {
    const remark = remedy === undefined ? safe(reason) : `${safe(reason)}; ${safe(remedy)}`;
    const key = [code(guard), allowed ? 'allowed' : '**REFUSED**', remark].join(' | ');
    rows.set(key, (rows.get(key) ?? 0) + 1);
  }
  return table(
    ['Guard', 'Answer', 'Why', 'Asked'],
    [...rows].map(([key, count]) => [key, `${count}×`]),
    'No guard was asked.',
  );
}

function approaches(state: RunState): string {
  const from = stampsOf(state).t0 ?? 0;
  const rows = (state.plan?.slos ?? []).map((slo) => {
    const { worst, limit, level, crossed } = closestApproach(state, slo, from);
    if (limit === undefined) return [code(slo.name), 'no limit', '', ''];
    if (worst === undefined) return [code(slo.name), `${level} ${safe(limit.text)}`, 'no data', '**unknown**'];
    const share = limit.value > 0 ? ` (${Math.round((worst / limit.value) * 100)} % of it)` : '';
    return [code(slo.name), `${level} ${safe(limit.text)}`, `${formatQuantity(worst, slo.unit)}${share}`, crossed ? '**crossed**' : 'kept'];
  });
  return table(['SLO', 'Limit', 'Nearest', 'Result'], rows, 'No SLO was watched.');
}

/** Left out where the plan was made before there was such a rule. */
function abortRules(state: RunState): string {
  const planned = state.plan?.abort;
  if (planned === undefined) return '';
  if (planned === 'off') return '**Abort rule**\n\n**It was off:** bad samples could stop the run only by the fatal level of an SLO.';
  const rows = (state.abortRules ?? []).map(({ slo, limitMs, bad, of, consecutive, baseline, planned: samples, falseAborts }) => [
    code(slo),
    limitMs === undefined ? 'failed' : `failed or slower than ${formatDuration(limitMs)}`,
    bad === undefined ? 'not counted' : `${bad} of ${of}`,
    `${consecutive} failures`,
    `${baseline.bad} of ${baseline.samples}`,
    `${falseAbortText(falseAborts)} of ${samples} samples`,
  ]);
  const head = ['SLO', 'Bad is', 'Stops at', 'Or in a row', 'Bad in the baseline', 'Expected false aborts'];
  return `**Abort rule**\n\n${table(head, rows, 'The run ended before the rule was fitted to a baseline.')}`;
}

function proofs(state: RunState): string {
  const faults = injectedFaults(state);
  if (faults.length === 0) return 'Nothing was injected, so there was nothing to undo.';
  return faults.map((fault) => proof(state, fault)).join('\n');
}

function proof(state: RunState, fault: FaultState): string {
  const name = `${fault.step} ${safe(faultName(state, fault.step))}`;
  const found = fault.clean === true ? 'read back clean' : fault.clean === false ? '**read back NOT clean**' : '**not proved**';
  const lines = [
    ...fault.proof.map((line) => `  - ${safe(line)}`),
    ...fault.revertFailures.map((line) => `  - a revert attempt failed: ${safe(line)}`),
    ...(fault.clean === undefined && fault.undo !== undefined ? [`  - its undo record: ${code(JSON.stringify(fault.undo))}`] : []),
  ];
  return [`- ${name}: ${found}`, ...lines].join('\n');
}

/** Left out where no fault has a fuse. */
function fuses(state: RunState): string {
  const rows = [...state.faults.values()].flatMap((fault) => fusesOf(state, fault).map((fuse) => fuseRow(fault, fuse)));
  if (rows.length === 0) return '';
  return `**Fuses**\n\n${table(['Step', 'Target', 'Armed', 'Lease', 'Deadline', 'Reverted'], rows, '')}`;
}

function fuseRow({ step }: FaultState, { target, armedT, leaseS, deadlineS, reverted }: FuseState): string[] {
  const loud = reverted.by === 'alone' || reverted.by === 'unknown';
  const armed = armedT === undefined ? '**not seen**' : `+${(armedT / 1_000).toFixed(1)}s`;
  const who = loud ? `**${safe(reverted.text)}**` : safe(reverted.text);
  return [safe(step), code(target), armed, `${leaseS} s`, `${deadlineS} s`, who];
}

function findings(state: RunState): string {
  const found = [...state.faults.values()].flatMap((fault) => fault.findings.map((finding) => `- ${safe(finding)}`));
  const lost = state.lost.map(({ target, detail }) => `- connection to ${code(target)} lost: ${safe(detail)}`);
  const all = [...found, ...lost];
  return all.length === 0 ? '' : `**Findings**\n\n${all.join('\n')}`;
}
