import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeSelectionProblem, type Labels, type SelectableHost, selectTargets } from '../../../src/environment/select.ts';
import type { Selector } from '../../../src/experiment/selector.ts';

const hosts: readonly SelectableHost[] = [
  { id: 'web-3', groups: ['web'], roles: [] },
  { id: 'web-1', groups: ['web'], roles: ['canary'] },
  { id: 'web-2', groups: ['web', 'all'], roles: [] },
  { id: 'db-a', groups: ['db'], roles: ['db-primary'] },
];
const labels: Labels = { 'web-1': { tier: 'front', zone: 'a' }, 'web-2': { tier: 'front', zone: 'b' } };

function chosen(selector: Selector): readonly string[] | string {
  const selection = selectTargets(selector, hosts, labels);
  if (selection.ok) return selection.targets;
  const { summary, detail } = describeSelectionProblem(selection.problem);
  return detail === undefined ? summary : `${summary}; ${detail}`;
}

describe('what is selected', () => {
  test.each<[Selector, readonly string[]]>([
    [{ host: 'web-2' }, ['web-2']],
    [{ group: 'web' }, ['web-3', 'web-1', 'web-2']],
    [{ role: 'db-primary' }, ['db-a']],
    [{ label: { tier: 'front' } }, ['web-1', 'web-2']],
    [{ label: { tier: 'front', zone: 'b' } }, ['web-2']],
    [{ group: 'web', count: 2 }, ['web-3', 'web-1']],
    [{ group: 'web', percent: 0.5 }, ['web-3']],
    [{ group: 'web', exclude: ['web-3'], count: 1 }, ['web-1']],
  ])('%j', (selector, expected) => {
    expect(chosen(selector)).toEqual(expected);
  });
});

describe('what is refused', () => {
  test.each<[Selector, string]>([
    [{ host: 'web-4' }, 'no host "web-4"; did you mean "web-3"?'],
    [{ group: 'wbe' }, 'no group "wbe"; did you mean "web"?'],
    [{ role: 'db-standby' }, 'no host holds the role "db-standby"; there are: canary, db-primary'],
    [{ label: { tier: 'back' } }, 'no label "tier: back"; there are: tier: front, zone: a, zone: b'],
    [{ group: 'web', count: 4 }, '4 hosts asked for, but only 3 match'],
    [{ group: 'web', percent: 0.3 }, '30% of 3 hosts rounds down to none; use count: 1, or at least 34%'],
    [{ group: 'db', exclude: ['db-a'] }, 'no host is left: all 1 that match are excluded'],
    [{ group: 'web', exclude: ['web-9x'] }, 'exclude names "web-9x", which is no host; did you mean "web-3"?'],
    [{ host: 'constructor' }, 'no host "constructor"; there are: web-3, web-1, web-2, db-a'],
  ])('%j', (selector, expected) => {
    expect(chosen(selector)).toBe(expected);
  });
});

describe('laws', () => {
  const fleet = (size: number): SelectableHost[] =>
    Array.from({ length: size }, (_, index) => ({ id: `h${index}`, groups: [index % 3 === 0 ? 'other' : 'web'], roles: [] }));
  const selectors = fc.oneof(
    fc.record({ group: fc.constant('web'), count: fc.integer({ min: 1, max: 50 }) }),
    fc.record({ group: fc.constant('web'), percent: fc.integer({ min: 1, max: 100 }).map((percent) => percent / 100) }),
    fc.record({ group: fc.constant('web'), random: fc.record({ count: fc.integer({ min: 1, max: 50 }), seed: fc.nat() }) }),
  ) as fc.Arbitrary<Selector>;

  test('never more than asked, never outside, never empty, never twice, always in the order of the file, always the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), selectors, fc.integer({ min: 0, max: 60 }), (size, base, spared) => {
        const all = fleet(size);
        const selector: Selector = { ...base, exclude: [`h${spared % size}`] };

        const selection = selectTargets(selector, all, {});
        expect(selectTargets(selector, all, {})).toEqual(selection);
        if (!selection.ok) return;

        const order = selection.targets.map((id) => all.findIndex((host) => host.id === id));
        const eligible = all.filter((host) => host.groups.includes('web') && host.id !== `h${spared % size}`);
        const most = selector.count ?? selector.random?.count ?? eligible.length * (selector.percent ?? 1) + 1e-6;
        expect(selection.targets.length).toBeGreaterThan(0);
        expect(selection.targets.length).toBeLessThanOrEqual(most);
        expect(eligible.map((host) => host.id)).toEqual(expect.arrayContaining([...selection.targets]));
        expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
      }),
    );
  });

  test('p percent of a hundred hosts are p hosts, whatever floating point says', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => ({ id: `h${index}`, groups: ['web'], roles: [] }));
    for (let percent = 1; percent <= 100; percent++) {
      const selection = selectTargets({ group: 'web', percent: Number(`${percent}`) / 100 }, hundred, {});
      expect(selection.ok && selection.targets.length).toBe(percent);
    }
  });

  test('seeds matter: each host of ten is the one chosen under some of two hundred seeds', () => {
    const ten = Array.from({ length: 10 }, (_, index) => ({ id: `h${index}`, groups: ['web'], roles: [] }));
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const selection = selectTargets({ group: 'web', random: { count: 1, seed } }, ten, {});
      if (selection.ok) for (const id of selection.targets) seen.add(id);
    }

    expect(seen.size).toBe(10);
  });

  test('the choice of a seed is the same in every version', () => {
    const ten = Array.from({ length: 10 }, (_, index) => ({ id: `h${index}`, groups: ['web'], roles: [] }));

    expect(selectTargets({ group: 'web', random: { count: 3, seed: 42 } }, ten, {})).toMatchInlineSnapshot(`
      {
        "ok": true,
        "targets": [
          "h2",
          "h5",
          "h9",
        ],
      }
    `);
  });
});
