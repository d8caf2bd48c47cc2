import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GuardInput } from '../../../src/guards/contract.ts';
import { errorBudget } from '../../../src/guards/error-budget.ts';
import { protectedHosts } from '../../../src/guards/protected-hosts.ts';
import { askGuards, guards } from '../../../src/guards/registry.ts';
import { targetCount } from '../../../src/guards/target-count.ts';
import { targetShare } from '../../../src/guards/target-share.ts';
import { tierConsent } from '../../../src/guards/tier-consent.ts';
import { unfinishedRun } from '../../../src/guards/unfinished-run.ts';
import type { Operation, PlanDraft } from '../../../src/plan/plan.ts';
import { errorSlo, faultStep, operation, testPlan } from '../../support/engine-plan.ts';

interface Situation {
  readonly targets?: readonly (readonly string[])[];
  readonly operations?: readonly Operation[];
  readonly limits?: Partial<PlanDraft['limits']>;
  readonly tier?: PlanDraft['environment']['tier'];
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  readonly environment?: Partial<GuardInput['environment']>;
  readonly confirmed?: string;
  readonly unfinished?: readonly string[];
  readonly slos?: PlanDraft['slos'];
  readonly announcedMs?: number;
  readonly removalMs?: number;
}

/** A plan with one fault step for each list of targets, in an environment of ten hosts. */
function situation(given: Situation): GuardInput {
  const steps = (given.targets ?? [['web-1']]).map((targets, index) =>
    faultStep(`s${index + 1}`, {
      targets: [...targets],
      operations: [...(given.operations ?? [])],
      ...(given.announcedMs === undefined ? {} : { expectedImpact: { slos: ['errors'], forMs: given.announcedMs } }),
    }),
  );
  const plan = testPlan({
    steps,
    limits: { maxTargets: 100, maxShare: 1, maxDurationMs: 600_000, ...given.limits },
    ...(given.slos && { slos: given.slos }),
  });
  return {
    plan: { ...plan, environment: { ...plan.environment, tier: given.tier ?? 'lab' } },
    environment: { groups: new Map(Object.entries(given.groups ?? {})), hostCount: 10, protectedHosts: [], ...given.environment },
    unfinished: given.unfinished ?? [],
    ...(given.removalMs === undefined ? {} : { removalMs: given.removalMs }),
    ...(given.confirmed === undefined ? {} : { confirmed: given.confirmed }),
  };
}

const web = { web: ['web-1', 'web-2', 'web-3'] };

describe('target-count', () => {
  it('takes the smaller of the two limits', () => {
    const targets = [['web-1', 'web-2']];
    expect(targetCount.check(situation({ targets, limits: { maxTargets: 2 }, environment: { maxTargets: 3 } }))).toMatchObject({
      allowed: true,
    });
    expect(targetCount.check(situation({ targets, limits: { maxTargets: 1 }, environment: { maxTargets: 3 } }))).toMatchObject({
      allowed: false,
    });
    expect(targetCount.check(situation({ targets, limits: { maxTargets: 3 }, environment: { maxTargets: 1 } }))).toEqual({
      guard: 'target-count',
      allowed: false,
      reason: '2 targets of at most 1',
      remedy: expect.stringContaining('web-1, web-2'),
    });
  });

  it('counts a host of several steps once, and hosts of all steps together', () => {
    const limits = { maxTargets: 2 };
    expect(targetCount.check(situation({ targets: [['a'], ['a'], ['b']], limits }))).toMatchObject({ allowed: true });
    expect(targetCount.check(situation({ targets: [['a'], ['b'], ['c']], limits }))).toMatchObject({ allowed: false });
  });

  it('refuses a plan without targets', () => {
    for (const targets of [[], [[]]])
      expect(targetCount.check(situation({ targets }))).toMatchObject({ allowed: false, reason: 'no target' });
  });

  it('refuses when the limit is no number', () => {
    expect(targetCount.check(situation({ limits: { maxTargets: Number.NaN } }))).toMatchObject({ allowed: false });
  });
});

describe('target-share', () => {
  const share = (maxShare: number, targets: string[], more: Situation = {}) =>
    targetShare.check(situation({ targets: [targets], groups: web, limits: { maxShare }, ...more }));

  it('rounds the number of hosts down', () => {
    expect(share(0.5, ['web-1'])).toMatchObject({ allowed: true, reason: '1 of 3 hosts in group web (33.3 % of at most 50 %)' });
    expect(share(0.5, ['web-1', 'web-2'])).toMatchObject({ allowed: false, remedy: expect.any(String) });
    expect(share(0.33, ['web-1'])).toMatchObject({ allowed: false });
    expect(share(0, ['web-1'])).toMatchObject({ allowed: false });
    expect(share(1, ['web-1', 'web-2', 'web-3'])).toMatchObject({ allowed: true });
  });

  it('lets exactly the limit through', () => {
    for (let size = 1; size <= 100; size++) {
      const groups = { all: Array.from({ length: size }, (_item, index) => `h${index}`) };
      for (const hit of [1, Math.ceil(size / 3), size]) {
        expect(share(hit / size, groups.all.slice(0, hit), { groups })).toMatchObject({ allowed: true });
        if (hit > 1) expect(share((hit - 1) / size, groups.all.slice(0, hit), { groups })).toMatchObject({ allowed: false });
      }
    }
  });

  it('takes the smaller of the limits of experiment and environment', () => {
    expect(share(1, ['web-1'], { environment: { maxShare: 0.1 } })).toMatchObject({ allowed: false });
    expect(share(0.1, ['web-1'], { environment: { maxShare: 1 } })).toMatchObject({ allowed: false });
  });

  it('judges by the group that is hit hardest', () => {
    const groups = { ...web, canary: ['web-1'] };
    expect(share(0.5, ['web-1'], { groups })).toMatchObject({
      allowed: false,
      reason: '1 of 1 hosts in group canary (100 % of at most 50 %)',
    });
  });

  it('counts a host without a group against the whole environment', () => {
    expect(share(0.1, ['loose'], { groups: web })).toMatchObject({
      allowed: true,
      reason: expect.stringContaining('1 of 10 hosts in the environment'),
    });
    expect(share(0.1, ['loose', 'other'], { groups: web })).toMatchObject({ allowed: false });
  });

  it('refuses a plan without targets', () => {
    expect(targetShare.check(situation({ targets: [[]] }))).toMatchObject({ allowed: false, reason: 'no target' });
  });
});

describe('protected-hosts', () => {
  const environment = { protectedHosts: ['lb'] };

  it('refuses a selected host', () => {
    expect(protectedHosts.check(situation({ targets: [['web-1', 'lb']], environment }))).toMatchObject({
      allowed: false,
      reason: 'lb is protected',
    });
  });

  it('refuses a host that is changed as a peer, also as the sink of a copy', () => {
    const changed = operation('change', { target: 'lb', changes: true });
    const copied = operation('copy', { via: 'copy', changes: true, sink: { target: 'lb', text: 'cat' } });
    for (const operations of [[changed], [copied]])
      expect(protectedHosts.check(situation({ operations, environment }))).toMatchObject({ allowed: false });
  });

  it('allows reading from one', () => {
    expect(protectedHosts.check(situation({ operations: [operation('look', { target: 'lb' })], environment }))).toMatchObject({
      allowed: true,
    });
  });
});

describe('tier-consent', () => {
  it('asks for the name in production only', () => {
    for (const tier of ['lab', 'dev', 'staging'] as const) expect(tierConsent.check(situation({ tier }))).toMatchObject({ allowed: true });
    expect(tierConsent.check(situation({ tier: 'production' }))).toMatchObject({ allowed: false, remedy: 'add --confirm test' });
    expect(tierConsent.check(situation({ tier: 'production', confirmed: 'tes' }))).toMatchObject({ allowed: false });
    expect(tierConsent.check(situation({ tier: 'production', confirmed: 'test' }))).toMatchObject({ allowed: true });
  });
});

/** 99.9 % over 30 days: 43 min 12 s of outage are its whole budget. */
const promised = (changes: Partial<PlanDraft['slos'][number]> = {}) =>
  errorSlo({ windowMs: 10_000, objective: { share: 0.999, periodMs: 30 * 86_400_000 }, ...changes });

describe('error-budget', () => {
  const ask = (given: Situation) => errorBudget.check(situation({ slos: [promised()], ...given }));

  it('counts the window, the announced impact and the time to undo as a whole outage', () => {
    expect(ask({ removalMs: 6_000 })).toEqual({
      guard: 'error-budget',
      allowed: true,
      reason: 'errors: at worst 16 s of failures (6 s to undo as seen), 0.62 % of its error budget, allowed 2 %',
    });
    expect(ask({ removalMs: 6_000, announcedMs: 30_000 })).toMatchObject({
      allowed: true,
      reason: expect.stringContaining('at worst 46 s'),
    });
    expect(ask({ removalMs: 6_000, announcedMs: 60_000 })).toMatchObject({ allowed: false, remedy: expect.stringContaining('allowance') });
  });

  it('assumes half a minute where no run has shown how long undoing takes', () => {
    expect(ask({})).toMatchObject({ allowed: true, reason: expect.stringContaining('30 s to undo assumed') });
    expect(ask({ announcedMs: 20_000 })).toMatchObject({ allowed: false });
    expect(ask({ announcedMs: 20_000, environment: { budgetAllowance: 0.03 } })).toMatchObject({ allowed: true });
  });

  it('takes the worst of several SLOs, and the time limit for one that cannot stop the run', () => {
    const { fatal: _none, ...watching } = promised({ name: 'watching' });
    const slos = [promised(), watching];

    expect(ask({ slos, removalMs: 0, limits: { maxDurationMs: 300_000 } })).toMatchObject({
      allowed: false,
      reason: expect.stringContaining('watching: at worst 5 min'),
    });
  });

  it('never refuses where nothing is promised', () => {
    expect(errorBudget.check(situation({ announcedMs: 300_000 }))).toMatchObject({ allowed: true });
  });
});

describe('unfinished-run', () => {
  it('names the run that has to be recovered first', () => {
    expect(unfinishedRun.check(situation({}))).toMatchObject({ allowed: true });
    expect(unfinishedRun.check(situation({ unfinished: ['abcdef'] }))).toMatchObject({
      allowed: false,
      remedy: expect.stringContaining('chaos recover abcdef'),
    });
  });
});

describe('all guards', () => {
  it('are asked, each answers under its own name, and every refusal says what would help', () => {
    const answers = askGuards(
      situation({
        targets: [['lb', 'web-1']],
        limits: { maxTargets: 1, maxShare: 0.1 },
        tier: 'production',
        environment: { protectedHosts: ['lb'] },
        unfinished: ['abcdef'],
        slos: [promised()],
        announcedMs: 60_000,
      }),
    );
    expect(answers.map((answer) => answer.guard)).toEqual(guards.map((guard) => guard.name));
    expect(answers.every((answer) => !answer.allowed && answer.remedy !== undefined)).toBe(true);
  });

  it('together never let through more than the limits, whatever the inventory and the selection', () => {
    const inventory = fc.integer({ min: 1, max: 12 }).chain((size) => {
      const hosts = Array.from({ length: size }, (_item, index) => `h${index}`);
      return fc.record({
        hosts: fc.constant(hosts),
        groups: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.subarray(hosts, { minLength: 1 })),
        selected: fc.array(fc.subarray(hosts), { maxLength: 3 }),
        protectedHosts: fc.subarray(hosts, { maxLength: 1 }),
        most: fc.nat(12),
        share: fc.integer({ min: 0, max: 100 }),
      });
    });
    let allowed = 0;
    fc.assert(
      fc.property(inventory, ({ hosts, groups, selected, protectedHosts: shielded, most, share }) => {
        const input = situation({
          targets: selected,
          groups,
          limits: { maxTargets: most, maxShare: share / 100 },
          environment: { hostCount: hosts.length, protectedHosts: shielded },
        });
        if (askGuards(input).some((answer) => !answer.allowed)) return;
        allowed++;
        const hit = new Set(selected.flat());
        expect(hit.size).toBeGreaterThan(0);
        expect(hit.size).toBeLessThanOrEqual(most);
        expect(shielded.some((host) => hit.has(host))).toBe(false);
        for (const members of Object.values(groups)) {
          const most = Math.floor((members.length * share) / 100 + 1e-9);
          expect(members.filter((host) => hit.has(host)).length).toBeLessThanOrEqual(most);
        }
        const grouped = new Set(Object.values(groups).flat());
        if ([...hit].some((host) => !grouped.has(host))) expect(hit.size).toBeLessThanOrEqual((hosts.length * share) / 100 + 1e-9);
      }),
      { numRuns: 2_000 },
    );
    expect(allowed).toBeGreaterThan(20);
  });
});
