import { expect, test } from 'vitest';
import type { JournalEvent } from '../../../src/journal/events.ts';
import { foldRun } from '../../../src/journal/fold.ts';
import { renderSummary } from '../../../src/views/summary-view.ts';
import { abortedBySlo, crashedRunner, heldFailover, lostWrites, recoveredRun, rollbackIncomplete } from '../../support/journal-builder.ts';

function summary(events: readonly JournalEvent[], exitCode: number, exitMeaning: string): string[] {
  return renderSummary(foldRun(events), { color: false, exitCode, exitMeaning, reportPath: 'reports/k3f9qz/report.md' })
    .trimEnd()
    .split('\n');
}

test('ends a held run with its numbers, the report and what to do next', () => {
  expect(summary(heldFailover(), 0, 'held')).toEqual([
    'HELD db-failover on lab, run k3f9qz',
    '  because    every clause of the hypothesis held',
    '  outcome    completed',
    '  rollback   clean',
    '  numbers    promotionTime 3.8 s (expected <= 10s)',
    '             0 of 272 acknowledged writes lost',
    '             longest gap in writes 4.2 s',
    '             checkout-errors 41.8 % at worst (fatal > 5%)',
    '             checkout-latency 220 ms at worst (fatal > 900ms)',
    '             back inside the SLOs after 13.9 s',
    '  report     reports/k3f9qz/report.md',
    '  exit code  0 (held)',
    '  next       read reports/k3f9qz/report.md; note what surprised you and check the runbook',
  ]);
});

test('says that writes were lost right under the verdict', () => {
  expect(summary(lostWrites(), 5, 'refuted').slice(0, 2)).toEqual([
    'REFUTED db-failover on lab, run m2x7ab',
    '             3 of 272 acknowledged writes LOST (orders-ledger)',
  ]);
});

test('says why a run was stopped and how long that took', () => {
  const lines = summary(abortedBySlo(), 5, 'refuted');

  expect(lines).toContain('  stopped    SLO checkout-latency reached its fatal level: 980 ms (limit > 900ms, 100 samples)');
  expect(lines.some((line) => line.includes('aborted after 4.7 s'))).toBe(true);
});

test('begins with what is still there when the rollback is not clean', () => {
  const lines = summary(rollbackIncomplete(), 6, 'rollback incomplete');

  expect(lines[0]).toBe('ROLLBACK INCOMPLETE: the system is still changed');
  expect(lines[1]).toMatch(/^ {2}- s1 db-failover on db-a: still there/);
  expect(lines[2]).toBe('  now: chaos recover x7p4nn');
  expect(lines.at(-1)).toBe('  next       chaos recover x7p4nn');
});

test('sends people to recover when the runner died, and no more once that was done', () => {
  expect(summary(crashedRunner(), 6, 'unknown').at(-1)).toBe('  next       chaos recover q4r6st');
  expect(summary(recoveredRun(), 7, 'inconclusive').at(-1)).toBe('  next       read reports/k3f9qz/report.md; then run it again');
});

test('says that nothing was injected after a refusal', () => {
  const [start] = heldFailover();
  const refused: JournalEvent = {
    seq: 1,
    at: '2026-03-10T09:00:01.000Z',
    t: 1_000,
    type: 'run.refused',
    detail: 'max-targets: 3 targets of at most 1',
  };
  const lines = summary(start === undefined ? [] : [start, refused], 3, 'refused');

  expect(lines[0]).toBe('NOT-TESTED db-failover on lab, run k3f9qz');
  expect(lines).toContain('  because    max-targets: 3 targets of at most 1');
  expect(lines).toContain('  rollback   nothing was injected');
});
