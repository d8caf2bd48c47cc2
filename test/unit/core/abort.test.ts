import { expect, it } from 'vitest';
import { type AbortReason, describeAbort, RunAborted } from '../../../src/core/abort.ts';
import { AbortReason as AbortReasonSchema } from '../../../src/journal/events.ts';

const reasons: readonly (readonly [AbortReason, string])[] = [
  [
    { kind: 'slo', slo: 'checkout-errors', value: 0.062, unit: 'ratio', threshold: '> 5%', samples: 120 },
    'SLO checkout-errors reached its fatal level: 6.2 % (limit > 5%, 120 samples)',
  ],
  [
    { kind: 'samples', probe: 'checkout', slo: 'checkout-errors', rule: 'count', bad: 6, of: 41 },
    'probe checkout: 6 of the last 41 samples failed (SLO checkout-errors)',
  ],
  [{ kind: 'silence', probe: 'checkout', silentMs: 11_500 }, 'probe checkout gave no sample for 11.5 s'],
  [{ kind: 'operator', by: 'SIGINT' }, 'stopped by SIGINT'],
  [{ kind: 'target-lost', target: 'db-a', detail: 'ECONNRESET' }, 'connection to db-a lost: ECONNRESET'],
  [{ kind: 'deadline', limitMs: 300_000 }, "the run's time limit of 5 min passed"],
  [{ kind: 'fault', fault: 'command', detail: 'exit code 3' }, 'fault command: exit code 3'],
  [{ kind: 'guard', guard: 'freeze', detail: 'Friday' }, 'guard freeze: Friday'],
  [{ kind: 'journal', detail: 'no space' }, 'the journal cannot be written: no space'],
  [{ kind: 'internal', detail: 'not a function' }, 'the runner itself failed: not a function'],
];

it.each(reasons)('%j is one sentence and fits the journal', (reason, sentence) => {
  expect(describeAbort(reason)).toBe(sentence);
  expect(new RunAborted(reason)).toMatchObject({ name: 'RunAborted', message: sentence, reason });
  expect(AbortReasonSchema.parse(reason)).toEqual(reason);
});

it('every reason the journal knows is tried here', () => {
  const known = AbortReasonSchema.options.map((option) => option.shape.kind.value);
  expect(reasons.map(([reason]) => reason.kind)).toEqual(known);
});

it('of the abort rule says what was counted', () => {
  const reason = { kind: 'samples', probe: 'checkout', slo: 'checkout-latency', limitMs: 900 } as const;

  expect(describeAbort({ ...reason, rule: 'count', bad: 11, of: 100 })).toBe(
    'probe checkout: 11 of the last 100 samples failed or took longer than 900 ms (SLO checkout-latency)',
  );
  expect(describeAbort({ ...reason, rule: 'consecutive', bad: 3, of: 3 })).toBe(
    'probe checkout: 3 samples in a row failed (SLO checkout-latency)',
  );
});
