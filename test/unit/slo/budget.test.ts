import { expect, it } from 'vitest';
import { budgetSpent } from '../../../src/slo/budget.ts';

const month = 30 * 86_400_000;
const none = { samples: 100, bad: 0 };

/** Everything fails for `seconds`, at ten samples a second. */
const outage = (seconds: number) => ({ samples: seconds * 10, bad: seconds * 10, ms: seconds * 1_000 });

it.each([
  [0.999, 10, 0.0039],
  [0.999, 60, 0.023],
  [0.999, 120, 0.046],
  [0.9999, 60, 0.23],
])('of %d a whole outage of some seconds costs its known share of a month', (share, seconds, spent) => {
  const cost = budgetSpent({ share, periodMs: month }, none, outage(seconds));

  expect(cost?.spent).toBeCloseTo(spent, spent < 0.01 ? 4 : 2);
  expect(cost?.burnRate).toBeCloseTo(1 / (1 - share), 6);
  expect(cost?.spentByFault).toBe(cost?.spent);
});

it('burns once as fast as allowed with as many bad ones as allowed, and an hour at 14.4 times is 2 % of a month', () => {
  expect(budgetSpent({ share: 0.99, periodMs: month }, none, { samples: 1_000, bad: 10, ms: 100_000 })?.burnRate).toBeCloseTo(1, 9);
  const hour = budgetSpent({ share: 0.999, periodMs: month }, none, { samples: 100_000, bad: 1_440, ms: 3_600_000 });
  expect(hour?.burnRate).toBeCloseTo(14.4, 9);
  expect(hour?.spent).toBeCloseTo(0.02, 9);
});

it('takes off what the baseline would have cost, never below nothing', () => {
  const objective = { share: 0.99, periodMs: month };
  const cost = (bad: number) => budgetSpent(objective, { samples: 100, bad: 2 }, { samples: 1_000, bad, ms: 100_000 });

  expect(cost(40)?.spentByFault).toBeCloseTo((cost(40)?.spent ?? 0) / 2, 12);
  expect(cost(10)?.spentByFault).toBe(0);
  expect(cost(10)?.spent).toBeGreaterThan(0);
});

it('does not depend on how often was asked, and says nothing without samples', () => {
  const objective = { share: 0.999, periodMs: month };

  expect(budgetSpent(objective, none, { samples: 10, bad: 5, ms: 10_000 })).toEqual(
    budgetSpent(objective, none, { samples: 1_000, bad: 500, ms: 10_000 }),
  );
  expect(budgetSpent(objective, none, { samples: 0, bad: 0, ms: 0 })).toBeUndefined();
});
