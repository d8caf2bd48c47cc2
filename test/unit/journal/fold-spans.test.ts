import { expect, test } from 'vitest';
import { foldRun } from '../../../src/journal/fold.ts';
import { baselineSpan, faultSpan, samplesIn } from '../../../src/journal/fold-spans.ts';
import { crashedRunner, heldFailover } from '../../support/journal-builder.ts';

test('the baseline counts from its warm-up to its end, the fault from its injection until its revert begins', () => {
  const state = foldRun(heldFailover());

  expect(baselineSpan(state)).toEqual({ from: 2_220, to: 10_221 });
  expect(faultSpan(state)).toEqual({ from: 10_300, to: 34_705 });
});

test('a fault that nobody reverted lasts to the end of the journal', () => {
  const state = foldRun(crashedRunner());

  expect(faultSpan(state)).toEqual({ from: 10_300, to: state.last?.t });
});

test('what did not happen has no span and no samples', () => {
  const empty = foldRun([]);

  expect([baselineSpan(empty), faultSpan(empty)]).toEqual([undefined, undefined]);
  expect(samplesIn(foldRun(heldFailover()), 'checkout', undefined)).toEqual([]);
});

test('samples are those that were due in the span, in that order', () => {
  const state = foldRun(heldFailover());
  const samples = samplesIn(state, 'checkout', { from: 1_000, to: 2_000 });

  expect(samples.map(({ due }) => due)).toEqual([1_000, 1_100, 1_200, 1_300, 1_400, 1_500, 1_600, 1_700, 1_800, 1_900]);
});

test('a sample that the prober cannot vouch for is none', () => {
  const events = heldFailover().map((event) =>
    event.type === 'probe.sampled' ? { ...event, samples: event.samples.map((sample) => ({ ...sample, own: 1_000 })) } : event,
  );

  expect(samplesIn(foldRun(events), 'checkout', { from: 1_000, to: 2_000 })).toEqual([]);
});
