import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JournalEvent, JournalEvent as JournalEventSchema } from '../../../src/journal/events.ts';
import { applyEvent, foldRun, newRunState } from '../../../src/journal/fold.ts';
import {
  closestApproach,
  intervalsOf,
  openFaults,
  plannedTargets,
  rollbackOf,
  stampsOf,
  touchedTargets,
} from '../../../src/journal/fold-facts.ts';
import { headlineOf, keyNumbers } from '../../../src/journal/fold-headline.ts';
import { describeEvent } from '../../../src/journal/fold-words.ts';
import { renderReport } from '../../../src/report/markdown.ts';
import {
  abortedBySlo,
  crashedRunner,
  heldFailover,
  lostWrites,
  recoveredRun,
  rollbackIncomplete,
  scenarios,
} from '../../support/journal-builder.ts';
import { failoverPlan } from '../../support/journal-plan.ts';

describe('foldRun', () => {
  test('the journals that these tests build are journals of this version', () => {
    for (const make of Object.values(scenarios)) {
      const events = make();

      expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index));
      for (const event of events) expect(JournalEventSchema.parse(JSON.parse(JSON.stringify(event)))).toEqual(event);
    }
  });

  test('tells a held failover from its first event to its last', () => {
    const state = foldRun(heldFailover());

    expect(state.run).toBe('k3f9qz');
    expect(state.phases.map((phase) => phase.phase)).toEqual(['prepare', 'baseline', 'method', 'rollback', 'recovery', 'verdict']);
    expect(state.phases.every((phase) => phase.endT !== undefined)).toBe(true);
    expect(state.faults.get('s1')).toMatchObject({
      stage: 'reverted',
      effective: true,
      clean: true,
      pastNoReturn: true,
      measures: { promotionTime: 3_800 },
    });
    expect(state.marks.map((mark) => mark.mark)).toEqual(['crashed', 'promoting']);
    expect(state.operations.map((operation) => [operation.operation, operation.end?.ok])).toEqual([
      ['crash', true],
      ['promote', true],
      ['rebuild', true],
      ['start-standby', true],
    ]);
    expect(state.samples.get('checkout')?.length).toBe(587);
    expect(state.judgement?.verdict).toBe('held');
    expect(state.finished?.exitCode).toBe(0);
  });

  test('folds any part of any journal, and a report can be made of it', () => {
    const journals = Object.values(scenarios).map((make) => make());
    const part = fc.constantFrom(...journals).chain((events) => fc.nat(events.length).map((length) => events.slice(0, length)));

    fc.assert(
      fc.property(part, (events) => {
        const state = foldRun(events);
        const { markdown } = renderReport(state);
        expect(markdown).toContain('<!-- chaos:begin verdict -->');
        // Nothing is claimed before it is in the journal.
        if (state.judgement === undefined) expect(headlineOf(state).verdict).not.toBe('held');
        if (openFaults(state).length > 0) expect(rollbackOf(state)).not.toBe('clean');
      }),
      { numRuns: 40 },
    );
  });

  test('folds events in any order without throwing', () => {
    const events = [
      ...heldFailover().filter((event) => event.type !== 'probe.sampled' && event.type !== 'slo.measured'),
      ...recoveredRun().slice(-8),
    ];

    fc.assert(
      fc.property(fc.shuffledSubarray(events), (shuffled) => {
        const state = newRunState();
        for (const event of shuffled) {
          applyEvent(state, event);
          describeEvent(event, state);
        }
        stampsOf(state);
        keyNumbers(state);
      }),
      { numRuns: 60 },
    );
  });

  test('takes batches larger than an argument list may be', () => {
    const samples = Array.from({ length: 200_000 }, (_, due) => ({ due, sent: due, end: due + 1, ok: true }));
    const event: JournalEvent = { seq: 0, at: '2026-03-10T09:00:00.000Z', t: 0, type: 'probe.sampled', probe: 'checkout', samples };

    expect(foldRun([event]).samples.get('checkout')?.length).toBe(200_000);
  });
});

describe('times', () => {
  test('gives t0 to t9 of a held failover and leaves out what did not happen', () => {
    const state = foldRun(heldFailover());

    const stamps = stampsOf(state);

    expect(stamps).toEqual({ t0: 10_300, t1: 14_600, t2: 10_610, t3: 11_000, t7: 40_700, t8: 24_500, t9: 40_710 });
    expect(intervalsOf(stamps, false).map((interval) => interval.name)).not.toContain('time to abort');
  });

  test('splits the abort of a run into deciding and removing', () => {
    const state = foldRun(abortedBySlo());

    const intervals = Object.fromEntries(intervalsOf(stampsOf(state), true).map((interval) => [interval.name, interval.ms]));

    // The severe level was crossed at 13 s, the abort decided at 15.012 s, the fault proved gone at 15.4 s.
    expect(intervals).toMatchObject({ 'time to abort': 2_012, 'time to remove': 388, 'abort latency': 2_400 });
    // It heals by its revert, so recovery counts from there: 15.4 s + 4.2 s.
    expect(stampsOf(state).t8).toBe(19_600);
  });

  test('has no t7, t8 or t9 when the runner died with the fault in place', () => {
    expect(stampsOf(foldRun(crashedRunner()))).toEqual({ t0: 10_300, t2: 10_610 });
  });

  test('has no t7 and no t9 when the revert was not proved', () => {
    const stamps = stampsOf(foldRun(rollbackIncomplete()));

    expect(stamps.t7).toBeUndefined();
    expect(stamps.t9).toBeUndefined();
  });

  test('gives an abort before injection no abort latency', () => {
    const [start] = heldFailover();
    const abort: JournalEvent = {
      seq: 1,
      at: '2026-03-10T09:00:01.000Z',
      t: 1_000,
      type: 'abort.decided',
      reason: { kind: 'operator', by: 'Ctrl-C' },
    };
    const state = foldRun(start === undefined ? [] : [start, abort]);

    expect(stampsOf(state)).toEqual({ t6: 1_000 });
    expect(intervalsOf(stampsOf(state), true)).toEqual([]);
  });
});

describe('what is still open', () => {
  test('is nothing before injection, unknown after a crash, incomplete when it was seen', () => {
    const before = crashedRunner().filter((event) => event.t < 10_300);

    expect(rollbackOf(foldRun(before))).toBe('clean');
    expect(rollbackOf(foldRun(crashedRunner()))).toBe('unknown');
    expect(rollbackOf(foldRun(rollbackIncomplete()))).toBe('incomplete');
  });

  test('a recovery by another process makes it clean and is told', () => {
    const state = foldRun(recoveredRun());

    expect(rollbackOf(state)).toBe('clean');
    expect(headlineOf(state).warnings).toContain('the runner died; process 5151 (jon) took over');
  });

  test('a recovery of a run that had ended does not say that its runner died', () => {
    const ended = rollbackIncomplete();
    const state = foldRun([
      ...ended,
      { type: 'recover.started', pid: 5151, operator: 'jon', seq: ended.length, at: '2026-03-02T10:00:00.000Z', t: 99_000 },
    ]);

    expect(headlineOf(state).warnings).toContain('the run ended with something still in effect; process 5151 (jon) took over');
  });

  test('a journal that calls the rollback clean without proof is not believed', () => {
    const events = heldFailover().filter((event) => event.type !== 'fault.reverted');

    expect(rollbackOf(foldRun(events))).toBe('unknown');
    expect(headlineOf(foldRun(events)).remains).toEqual(['s1 db-failover on db-a: its revert was not proved']);
  });

  test('unread ledgers are said after the end, not while the run goes on', () => {
    const events = heldFailover().filter((event) => event.type !== 'ledger.settled');
    const running = events.filter((event) => event.type !== 'verdict.reached' && event.type !== 'run.finished');

    expect(headlineOf(foldRun(events)).warnings).toEqual(['lost writes UNKNOWN (orders-ledger): the ledger was never read back']);
    expect(headlineOf(foldRun(running)).warnings).toEqual([]);
  });

  test('lost writes are never hidden behind a verdict', () => {
    expect(headlineOf(foldRun(lostWrites())).warnings).toEqual(['3 of 272 acknowledged writes LOST (orders-ledger)']);
    expect(keyNumbers(foldRun(lostWrites()))).toContain('3 of 272 acknowledged writes lost');
  });
});

test('a copy touches the side that is written', () => {
  const state = foldRun(heldFailover());

  expect(plannedTargets(failoverPlan)).toEqual(['db-a', 'db-b']);
  expect(touchedTargets(state)).toEqual(['db-a', 'db-b']);
  expect(touchedTargets(foldRun(heldFailover().filter((event) => event.t > 14_600 || event.t < 5)))).toEqual(['db-a']);
});

test('the closest approach looks at the worst value after injection, in either direction', () => {
  const state = foldRun(abortedBySlo());
  const [errors, latency] = state.plan?.slos ?? [];
  if (errors === undefined || latency === undefined) throw new Error('the plan has two SLOs');
  const availability = { ...errors, fatal: { operator: '<' as const, value: 0.99, unit: 'ratio' as const, text: '< 99%' } };

  expect(closestApproach(state, latency, 10_300)).toMatchObject({ crossed: true, level: 'fatal' });
  expect(closestApproach(state, errors, 10_300)).toMatchObject({ crossed: false, worst: 0 });
  expect(closestApproach(state, availability, 10_300)).toMatchObject({ crossed: true, worst: 0 });
  expect(closestApproach(state, latency, 1e9).worst).toBeUndefined();
});

test('sentences are one line without control characters', () => {
  const events = rollbackIncomplete();
  const state = foldRun(events);

  for (const event of events) expect(describeEvent(event, state)?.text ?? '').not.toMatch(/[\p{Cc}]/u);
});
