import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { experimentSchema } from '../../../src/experiment/schema.ts';
import { parseYaml } from '../../../src/experiment/yaml.ts';
import { fakeFaults } from './fakes.ts';

const schema = experimentSchema(fakeFaults);
const good = readFileSync(new URL('../../fixtures/files/experiment.yaml', import.meta.url), 'utf8');

/** What is said about the good experiment with one text replaced. */
function said(from: string, to: string): string[] {
  expect(good).toContain(from);
  const parsed = parseYaml(good.replace(from, to), 'e.yaml', schema);
  return parsed.ok
    ? []
    : parsed.diagnostics.map((one) => `${one.line}:${one.column} ${one.code}: ${one.summary}${one.detail ? `; ${one.detail}` : ''}`);
}

test('a good experiment is read with its defaults', () => {
  const parsed = parseYaml(good, 'e.yaml', schema);

  expect(parsed).toMatchObject({
    ok: true,
    value: {
      tags: [],
      steadyState: { baseline: 15_000, slos: ['errors'], recovery: { within: 60_000, hold: 10_000 } },
      limits: { maxTargets: 1, maxShare: 0.5, maxDuration: 600_000 },
      method: [
        {
          kind: 'fault',
          fault: 'slow',
          on: { group: 'web', count: 1 },
          with: { delay: '200ms' },
          duration: 30_000,
          expect: { addedLatency: { operator: '>=', value: 150, unit: 'duration' }, retries: { operator: '==', value: 0 } },
        },
        { kind: 'wait', wait: 5_000 },
      ],
    },
  });
});

describe('a fault step is checked against the fault that it names', () => {
  test.each([
    ['fault: slow', 'fault: slov', '10:12 unknown-fault: unknown fault "slov"; did you mean "slow"?'],
    ['fault: slow', 'fault: earthquake', '10:12 unknown-fault: unknown fault "earthquake"; one of: slow, kill'],
    ['- fault: slow', '- falt: slow', '10:5 missing-key: missing "fault" in method[0]; did you mean "fault" where it says "falt"?'],
    ['    duration: 30s\n', '', '10:5 missing-key: missing "duration" in method[0]; for example: duration: 30s'],
    [
      '{ delay: 200ms }',
      '{ delay: 200 }',
      '12:20 wrong-type: expected a duration such as 30s, got 200: a unit is missing; did you mean 200s?',
    ],
    ['{ delay: 200ms }', '{ delay: 1s, jiter: 1s }', '12:24 unknown-key: unknown key "jiter"; did you mean "jitter"?'],
    ['    with: { delay: 200ms }\n', '', '10:5 missing-key: missing "with" in method[0]'],
    ['retries: 0', 'retires: 0', '14:41 unknown-key: unknown key "retires"; did you mean "retries"?'],
    ['retries: 0', 'errorShare: "<= 3s"', 'that is a duration, not a percentage'],
    ['wait: 5s', 'wait: 5', '15:11 wrong-type: expected a duration such as 30s, got 5: a unit is missing; did you mean 5s?'],
  ])('%j -> %j', (from, to, expected) => {
    const all = said(from, to);

    expect(all).toHaveLength(1);
    expect(all[0]).toContain(expected);
  });

  test('a fault without a duration says so', () => {
    expect(
      said('fault: slow\n    on: { group: web, count: 1 }\n    with: { delay: 200ms }', 'fault: kill\n    on: { host: web-1 }').at(0),
    ).toContain('kill takes no duration: it happens in an instant; remove this line');
  });

  test('many mistakes deep inside a fault step do not make it look like a wait', () => {
    const all = said('{ delay: 200ms }', '{ delay: 1, jitter: 2, a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9 }');

    expect(all).toHaveLength(11);
  });
});

describe('selectors', () => {
  test.each([
    ['{}', 'expected exactly one of host, group, role and label, got none'],
    ['{ host: a, group: b }', 'expected exactly one of host, group, role and label, got host and group'],
    ['{ group: b, count: 1, percent: 50% }', 'expected at most one of count, percent and random, got count and percent'],
    ['{ host: a, count: 1 }', 'count has no meaning together with host'],
    ['{ group: b, count: 0 }', 'expected at least 1, got 0'],
    ['{ group: b, random: { count: 1 } }', 'missing "seed" in method[0].on.random; for example: seed: 42'],
    ['{ label: {} }', 'expected at least one label'],
    ['{ all: true }', 'unknown key "all"'],
    ['web-1', 'expected a map of keys and values, got "web-1"'],
  ])('on: %s is refused', (on, expected) => {
    expect(said('{ group: web, count: 1 }', on).join('\n')).toContain(expected);
  });
});

describe('rules between fields', () => {
  test('a method without a fault tests nothing', () => {
    const onlyWait = good.replace(/ {2}- fault[\s\S]*retries: 0 }\n/, '');
    const parsed = parseYaml(onlyWait, 'e.yaml', schema);

    expect(parsed.ok ? [] : parsed.diagnostics).toMatchObject([{ code: 'no-fault', line: 9, column: 1 }]);
  });

  test('a method that cannot end within the limit is refused', () => {
    expect(said('wait: 5s', 'wait: 11m')).toEqual([
      '9:1 too-long: the method alone takes 11 min 30 s, longer than the limit of 10 min; raise limits.maxDuration, or wait less',
    ]);
  });

  test('announced impact must be about the steady state', () => {
    expect(said('    duration: 30s', '    duration: 30s\n    expectedImpact: { slos: [erors], for: 30s }')).toEqual([
      '14:30 unknown-slo: "erors" is not in steadyState.slos; did you mean "errors"?',
    ]);
  });

  test.each(['expectAlerts: []', 'notify: {}'])('%s is not part of the language', (line) => {
    expect(said('owner: sre', `owner: sre\n${line}`)[0]).toContain('unknown key');
  });
});
