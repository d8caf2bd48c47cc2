import { describe, expect, it } from 'vitest';
import type { AbortReason } from '../../../src/core/abort.ts';
import { type Clause, Outcome, RollbackState, Verdict } from '../../../src/journal/events.ts';
import { decideVerdict, type ExitFacts, exitCode, type VerdictFacts } from '../../../src/slo/verdict.ts';

const reasons: readonly AbortReason[] = [
  { kind: 'slo', slo: 'checkout-errors', value: 0.2, unit: 'ratio', threshold: '> 5%', samples: 100 },
  { kind: 'samples', probe: 'checkout', slo: 'checkout-errors', rule: 'count', bad: 6, of: 41 },
  { kind: 'silence', probe: 'checkout', silentMs: 12_000 },
  { kind: 'operator', by: 'SIGINT' },
  { kind: 'operator', by: 'SIGTERM' },
  { kind: 'target-lost', target: 'db-a', detail: 'closed' },
  { kind: 'deadline', limitMs: 600_000 },
  { kind: 'fault', fault: 'db-failover', detail: 'no candidate' },
  { kind: 'guard', guard: 'target-count', detail: '2 of 1' },
  { kind: 'journal', detail: 'disk full' },
];

type Result = Clause['result'];
const clauseSets: readonly (readonly Result[])[] = [
  [],
  ['held'],
  ['refuted'],
  ['unknown'],
  ['held', 'refuted'],
  ['held', 'unknown'],
  ['refuted', 'unknown'],
];
const clausesOf = (results: readonly Result[]) => results.map((result, index) => ({ name: `clause-${index}`, result }));

const every: readonly VerdictFacts[] = Outcome.options.flatMap((outcome) =>
  [true, false, undefined].flatMap((effective) =>
    RollbackState.options.flatMap((rollback) =>
      clauseSets.flatMap((results) =>
        [undefined, ...reasons].map((reason) => ({
          outcome,
          effective,
          rollback,
          clauses: clausesOf(results),
          ...(reason === undefined ? {} : { reason }),
        })),
      ),
    ),
  ),
);

function facts(changes: Partial<VerdictFacts>, results: readonly Result[] = ['held']): VerdictFacts {
  return { outcome: 'completed', effective: true, rollback: 'clean', clauses: clausesOf(results), ...changes };
}

describe('decideVerdict', () => {
  it('has an answer with a reason for every combination', () => {
    for (const combination of every) {
      const { verdict, because } = decideVerdict(combination);

      expect(Verdict.options).toContain(verdict);
      expect(because).not.toBe('');
    }
  });

  it('says held only when the run was completed, the fault seen in effect and every clause measured and held', () => {
    for (const combination of every) {
      const { outcome, effective, clauses } = combination;
      const proven =
        outcome === 'completed' && effective === true && clauses.length > 0 && clauses.every(({ result }) => result === 'held');

      expect(decideVerdict(combination).verdict === 'held').toBe(proven);
    }
  });

  it('says refuted only with evidence: a clause of a whole run, or the SLO that stopped it', () => {
    for (const combination of every) {
      if (decideVerdict(combination).verdict !== 'refuted') continue;
      const { outcome, effective, clauses, reason } = combination;
      const byClause = outcome === 'completed' && effective === true && clauses.some(({ result }) => result === 'refuted');
      const bySlo = outcome === 'aborted' && effective !== false && (reason?.kind === 'slo' || reason?.kind === 'samples');

      expect(byClause || bySlo).toBe(true);
    }
  });

  it('says not-tested whenever the fault was seen not to be in effect', () => {
    for (const combination of every.filter(({ effective }) => effective === false)) {
      expect(decideVerdict(combination).verdict).toBe('not-tested');
    }
  });

  it.each([
    ['every clause held', facts({}), 'held'],
    ['one clause did not hold', facts({}, ['held', 'refuted']), 'refuted'],
    ['one did not hold and one was not measured', facts({}, ['refuted', 'unknown']), 'refuted'],
    ['one clause was not measured', facts({}, ['held', 'unknown']), 'inconclusive'],
    ['there was nothing to judge', facts({}, []), 'inconclusive'],
    ['nothing was injected', facts({ effective: undefined }), 'not-tested'],
    ['the run failed by itself', facts({ outcome: 'errored' }), 'inconclusive'],
    ['it was halted', facts({ outcome: 'halted' }), 'inconclusive'],
    ['it was refused', facts({ outcome: 'refused' }), 'not-tested'],
  ] as const)('when %s', (_when, given, expected) => {
    expect(decideVerdict(given).verdict).toBe(expected);
  });

  it.each([
    ['slo', 'refuted'],
    ['samples', 'refuted'],
    ['silence', 'inconclusive'],
    ['operator', 'inconclusive'],
    ['target-lost', 'inconclusive'],
    ['deadline', 'inconclusive'],
    ['guard', 'inconclusive'],
    ['journal', 'inconclusive'],
  ] as const)('after an abort by %s says %s', (kind, expected) => {
    const reason = reasons.find((candidate) => candidate.kind === kind);

    expect(decideVerdict(facts({ outcome: 'aborted', ...(reason === undefined ? {} : { reason }) })).verdict).toBe(expected);
  });

  it('says not-tested when the fault could not be injected', () => {
    const reason: AbortReason = { kind: 'fault', fault: 'db-failover', detail: 'no candidate' };

    expect(decideVerdict(facts({ outcome: 'aborted', effective: undefined, reason })).verdict).toBe('not-tested');
  });

  it('tells what did not hold before an operator stopped the run, and that the rollback is not clean', () => {
    const decided = decideVerdict(
      facts({ outcome: 'aborted', rollback: 'incomplete', reason: { kind: 'operator', by: 'alice' } }, ['held', 'refuted']),
    );

    expect(decided.because).toBe('stopped by alice; not held until then: clause-1; the rollback is incomplete');
  });
});

describe('exitCode', () => {
  const codes: readonly [number, ExitFacts][] = [
    [0, { outcome: 'completed', verdict: 'held', rollback: 'clean', steadyBefore: true }],
    [1, { outcome: 'errored', verdict: 'inconclusive', rollback: 'clean' }],
    [3, { outcome: 'refused', verdict: 'not-tested', rollback: 'clean' }],
    [4, { outcome: 'completed', verdict: 'not-tested', rollback: 'clean', steadyBefore: false }],
    [5, { outcome: 'completed', verdict: 'refuted', rollback: 'clean', steadyBefore: true }],
    [5, { outcome: 'aborted', verdict: 'refuted', rollback: 'clean', reason: reasons[0] as AbortReason }],
    [
      5,
      { outcome: 'aborted', verdict: 'inconclusive', rollback: 'clean', reason: { kind: 'silence', probe: 'checkout', silentMs: 12_000 } },
    ],
    [7, { outcome: 'completed', verdict: 'inconclusive', rollback: 'clean', steadyBefore: true }],
    [7, { outcome: 'completed', verdict: 'not-tested', rollback: 'clean', steadyBefore: true }],
    [130, { outcome: 'aborted', verdict: 'inconclusive', rollback: 'clean', reason: { kind: 'operator', by: 'SIGINT' } }],
    [143, { outcome: 'aborted', verdict: 'inconclusive', rollback: 'clean', reason: { kind: 'operator', by: 'SIGTERM' } }],
    [130, { outcome: 'halted', verdict: 'inconclusive', rollback: 'clean', reason: { kind: 'operator', by: 'alice' } }],
  ];

  it.each(codes)('is %i for %o', (code, given) => {
    expect(exitCode(given)).toBe(code);
  });

  it('is 6 for everything whose rollback is not clean, and never 6 otherwise', () => {
    for (const combination of every) {
      for (const steadyBefore of [true, false]) {
        const code = exitCode({ ...combination, verdict: decideVerdict(combination).verdict, steadyBefore });

        expect(code === 6).toBe(combination.rollback !== 'clean');
        expect([0, 1, 3, 4, 5, 6, 7, 130, 143]).toContain(code);
      }
    }
  });

  it('is 0 only for held', () => {
    for (const combination of every) {
      const { verdict } = decideVerdict(combination);

      if (exitCode({ ...combination, verdict, steadyBefore: true }) === 0) expect(verdict).toBe('held');
    }
  });
});
