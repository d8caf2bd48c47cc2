/** What a run proves, and the exit code that says so. The whole truth is in these two tables; nothing else decides. Pure. */
import { type AbortReason, describeAbort } from '../core/abort.ts';
import { assertNever } from '../core/assert-never.ts';
import type { Clause, Outcome, RollbackState, Verdict } from '../journal/events.ts';

export interface VerdictFacts {
  readonly outcome: Outcome;
  /** True: every fault was seen in effect; false: one was seen not to be; `undefined`: it was not looked at, or nothing was injected. */
  readonly effective: boolean | undefined;
  readonly clauses: readonly Pick<Clause, 'name' | 'result'>[];
  readonly rollback: RollbackState;
  /** Why it was stopped early. */
  readonly reason?: AbortReason;
}

export interface Decision {
  readonly verdict: Verdict;
  /** One sentence for people. */
  readonly because: string;
}

/**
 * Held takes everything: the run went to its end, the fault was seen in effect, every clause was measured and held. Refuted takes
 * evidence: a clause that did not hold in a whole run, or an SLO that stopped it. A run cut short for another reason proves neither.
 */
export function decideVerdict(facts: VerdictFacts): Decision {
  const decision = judge(facts);
  if (facts.rollback === 'clean') return decision;
  return { ...decision, because: `${decision.because}; the rollback is ${facts.rollback}` };
}

function judge(facts: VerdictFacts): Decision {
  const { outcome, effective } = facts;
  if (outcome === 'refused') return { verdict: 'not-tested', because: 'the run was refused, nothing was injected' };
  if (effective === false) return { verdict: 'not-tested', because: 'the fault never took effect' };
  switch (outcome) {
    case 'errored':
      return cutShort(facts, 'the run itself failed');
    case 'halted':
      return cutShort(facts, 'the run was halted');
    case 'aborted':
      return aborted(facts);
    case 'completed':
      if (effective === undefined) return { verdict: 'not-tested', because: 'no fault was seen in effect' };
      return byClauses(facts);
    default:
      return assertNever(outcome);
  }
}

function aborted(facts: VerdictFacts): Decision {
  const { reason, effective } = facts;
  if (reason === undefined) return cutShort(facts, 'the run was stopped early');
  const because = describeAbort(reason);
  switch (reason.kind) {
    case 'slo':
    case 'samples':
      return { verdict: 'refuted', because };
    case 'fault':
      return effective === true ? cutShort(facts, because) : { verdict: 'not-tested', because };
    case 'silence':
    case 'operator':
    case 'target-lost':
    case 'deadline':
    case 'guard':
    case 'journal':
    case 'internal':
      return cutShort(facts, because);
    default:
      return assertNever(reason);
  }
}

/** Stopping a run can by itself break a clause, so a broken one is told but does not refute. */
function cutShort({ clauses }: VerdictFacts, why: string): Decision {
  const refuted = named(clauses, 'refuted');
  return { verdict: 'inconclusive', because: refuted === '' ? why : `${why}; not held until then: ${refuted}` };
}

function byClauses({ clauses }: VerdictFacts): Decision {
  const refuted = named(clauses, 'refuted');
  const unknown = named(clauses, 'unknown');
  const unmeasured = unknown === '' ? '' : `not measured: ${unknown}`;
  if (refuted !== '') return { verdict: 'refuted', because: [`not held: ${refuted}`, unmeasured].filter((part) => part !== '').join('; ') };
  if (unknown !== '') return { verdict: 'inconclusive', because: unmeasured };
  if (clauses.length === 0) return { verdict: 'inconclusive', because: 'the hypothesis has no clause that could be judged' };
  return { verdict: 'held', because: 'every clause held' };
}

function named(clauses: VerdictFacts['clauses'], result: Clause['result']): string {
  return clauses
    .filter((clause) => clause.result === result)
    .map(({ name }) => name)
    .join(', ');
}

export interface ExitFacts {
  readonly outcome: Outcome;
  readonly verdict: Verdict;
  readonly rollback: RollbackState;
  /** False: the SLOs did not hold before the start, so nothing was injected. */
  readonly steadyBefore?: boolean;
  /** Why it was stopped early; for an operator, `by` names the signal where one was sent. */
  readonly reason?: AbortReason;
}

/** The exit codes of the README, one meaning each; an incomplete or unknown rollback (6) beats all others. */
export function exitCode(facts: ExitFacts): number {
  const { outcome, rollback, reason } = facts;
  if (rollback !== 'clean') return 6;
  switch (outcome) {
    case 'errored':
      return 1;
    case 'refused':
      return 3;
    case 'halted':
    case 'aborted':
      return reason?.kind === 'operator' ? interrupted(reason.by) : 5;
    case 'completed':
      return facts.steadyBefore === false ? 4 : completed(facts.verdict);
    default:
      return assertNever(outcome);
  }
}

/** 128 and the signal's number, as shells have it. */
function interrupted(by: string): number {
  return by.includes('SIGTERM') || by.includes('SIGHUP') ? 143 : 130;
}

function completed(verdict: Verdict): number {
  switch (verdict) {
    case 'held':
      return 0;
    case 'refuted':
      return 5;
    case 'inconclusive':
    case 'not-tested':
      return 7;
    default:
      return assertNever(verdict);
  }
}
