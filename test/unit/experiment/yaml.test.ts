import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import type { Diagnostic } from '../../../src/core/diagnostics.ts';
import { durationPattern, percentPattern, ratePattern } from '../../../src/core/units.ts';
import { comparison, duration, percent, rate } from '../../../src/experiment/scalars.ts';
import { parseYaml } from '../../../src/experiment/yaml.ts';

function mistakes(text: string, schema: z.ZodType = z.unknown()): readonly Diagnostic[] {
  const parsed = parseYaml(text, 'e.yaml', schema);
  return parsed.ok ? [] : parsed.diagnostics;
}

/** `line:column code: summary; detail`, the way tests compare. */
function said(text: string, schema: z.ZodType = z.unknown()): string[] {
  return mistakes(text, schema).map((one) => `${one.line}:${one.column} ${one.code}: ${one.summary}${one.detail ? `; ${one.detail}` : ''}`);
}

describe('text that is not YAML', () => {
  test.each([
    ['a: 1\nb: 2\na: 3\n', '3:1 duplicate-key: the key "a" stands here a second time; keep one of the two'],
    ['a: *x\n', '1:4 unknown-alias: unknown alias *x; no anchor is defined above it'],
    ['a: &y 1\nb: *x\n', '2:4 unknown-alias: unknown alias *x; anchors above it: y'],
    ['a: 1\n---\nb: 2\n', '2:1 syntax: a second document begins here (---); one file holds one document'],
    ['a:\n\tb: 1\n', '2:1 syntax: a tab is used as indentation; indent with spaces'],
    ['a: { { b }: 1 }\n', '1:6 bad-key: a key must be plain text; text that begins with { or [ needs quotes'],
    ['', '1:1 bad-file: the file is empty'],
    ['# nothing\n', '1:1 bad-file: the file is empty'],
    ['%YAML 1.1\n---\non: no\n', '1:1 syntax: YAML 1.1 is not supported; remove the %YAML line; files are YAML 1.2'],
  ])('%j is reported with its place', (text, expected) => {
    expect(said(text)).toContain(expected);
  });

  test('an unclosed quote is an error at its line', () => {
    const [first] = mistakes('a: 1\nb: "x\n');

    expect(first).toMatchObject({ code: 'syntax', severity: 'error', file: 'e.yaml' });
    expect(first?.line).toBeGreaterThanOrEqual(2);
  });

  test('an alias bomb is refused instead of expanded', () => {
    const letters = [...'abcdefghi'];
    const bomb = letters
      .map(
        (key, index) =>
          `${key}: &${key} [${Array(9)
            .fill(index === 0 ? 'x' : `*${letters[index - 1]}`)
            .join(',')}]`,
      )
      .join('\n');

    expect(said(bomb)).toEqual(['1:1 alias-bomb: aliases are used more than 100 times over']);
  });

  test('an anchor that contains itself is refused', () => {
    expect(said('a: &a [1, { b: *a }]\n')).toEqual(['1:16 alias-bomb: *a stands inside what it stands for']);
  });

  test.each(['[', '{a: ', '- ', '? '])('ten thousand levels of %j are refused before they overflow anything', (opening) => {
    expect(said(`${opening.repeat(10_000)}`)).toEqual(['1:1 bad-file: the file is nested more than 200 levels deep']);
  });

  test('two megabytes are refused before they are parsed', () => {
    expect(said(`a: ${'x'.repeat(2_000_000)}`)).toEqual(['1:1 bad-file: the file is larger than 1 MiB']);
  });

  test('on, no and dates stay text, as in YAML 1.2', () => {
    const parsed = parseYaml('on: no\nday: 2026-01-01\n', 'e.yaml', z.strictObject({ on: z.string(), day: z.string() }));

    expect(parsed).toEqual({ ok: true, value: { on: 'no', day: '2026-01-01' }, warnings: [] });
  });
});

describe('what a schema rejects', () => {
  const Schema = z.strictObject({
    name: z.string().meta({ examples: ['db'] }),
    port: z.int().min(1).max(65_535).optional(),
    level: z.enum(['warning', 'fatal']).optional(),
    list: z.array(z.strictObject({ host: z.string() })).optional(),
    either: z.union([z.string(), z.array(z.string())]).optional(),
    inner: z.strictObject({ must: z.boolean() }).optional(),
    map: z.record(z.string(), z.number()).optional(),
  });

  test.each([
    ['nam: x', ['1:1 unknown-key: unknown key "nam"; did you mean "name"?']],
    ['name: x\nzzz: 1', ['2:1 unknown-key: unknown key "zzz"; possible here: port, level, list, either, inner, map']],
    ['name: x\n<<: 1', ['2:1 unknown-key: unknown key "<<"; merge keys are not part of YAML 1.2']],
    ['port: 5', ['1:1 missing-key: missing "name"; for example: name: db']],
    ['name: x\ninner: {}', ['2:1 missing-key: missing "must" in inner']],
    ['name: x\nlist:\n  - {}', ['3:5 missing-key: missing "host" in list[0]']],
    ['name: 5', ['1:7 wrong-type: expected text, got 5; put it in quotes: "5"']],
    ['name:', ['1:1 wrong-type: expected text, got nothing']],
    ['name: x\nport: 70000', ['2:7 bad-value: expected at most 65535, got 70000']],
    ['name: x\nport: 1.5', ['2:7 wrong-type: expected a whole number, got 1.5']],
    ['name: x\nlevel: fatall', ['2:8 bad-value: expected one of warning, fatal; got "fatall"; did you mean "fatal"?']],
    ['name: x\neither: 5', ['2:9 wrong-type: expected text or a list, got 5']],
    ['name: x\neither: [a, 5]', ['2:13 wrong-type: expected text, got 5; put it in quotes: "5"']],
    [
      'name: x\nlist:\n  - host: 1\n  - hosst: b',
      ['3:11 wrong-type: expected text, got 1; put it in quotes: "1"', '4:5 unknown-key: unknown key "hosst"; did you mean "host"?'],
    ],
    ['[1]', ['1:1 wrong-type: expected a map of keys and values, got a list']],
  ])('%j', (text, expected) => {
    expect(said(text, Schema)).toEqual(expected);
  });

  test('all mistakes come at once, in the order of the file', () => {
    const found = mistakes('port: x\nlevel: y\nextra: 1\ninner: { must: 3 }\n', Schema);

    expect(found.map((one) => one.line)).toEqual([1, 1, 2, 3, 4]);
  });

  test('a value behind an alias is shown once, where it is written', () => {
    expect(said('name: x\nlist: [&h { host: 1 }, *h]\n', Schema)).toEqual(['2:19 wrong-type: expected text, got 1; put it in quotes: "1"']);
  });

  test('a mistake in a list that begins below its key is shown at the key', () => {
    expect(said('name: x\nmap:\n  - a\n', Schema)).toEqual(['2:1 wrong-type: expected a map of keys and values, got a list']);
  });

  test('columns count characters, so that a caret under emoji and Windows line ends is right', () => {
    const [found] = mistakes('name: x\r\ninner: { "😀": 1, must: 3 }\r\n', Schema);

    expect(found).toMatchObject({ line: 2, column: 10, snippet: { text: 'inner: { "😀": 1, must: 3 }', length: 3 } });
    expect(mistakes('name: x\r\ninner: { "😀": 1, must: 3 }\r\n', Schema)[1]).toMatchObject({ column: 24, snippet: { length: 1 } });
  });

  test('terminal escapes in a file do not reach the message', () => {
    const [found] = mistakes('name: x\nlevel: "\\e[31mred\\u202e"\n', Schema);

    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(found?.summary).not.toMatch(/[\u001b\u202e]/);
  });

  test('keys of an object’s prototype are unknown keys like any other', () => {
    expect(said('name: x\nconstructor: 1\ntoString: 2\n', Schema).map((one) => one.split(';')[0])).toEqual([
      '2:1 unknown-key: unknown key "constructor"',
      '3:1 unknown-key: unknown key "toString"',
    ]);
  });
});

describe('units', () => {
  const one = (schema: z.ZodType, value: string): string[] => said(`v: ${value}\n`, z.strictObject({ v: schema }));

  test.each([
    ['"30"', 'bad-duration: expected a duration such as 30s, got "30": a unit is missing; did you mean 30s?'],
    ['30', 'wrong-type: expected a duration such as 30s, got 30: a unit is missing; did you mean 30s?'],
    ['5 minutes', 'bad-duration: expected a duration such as 30s, got "5 minutes"; did you mean 5m?'],
    ['1h 30min', 'bad-duration: expected a duration such as 30s, got "1h 30min"; did you mean 1h30m?'],
    ['soon', 'bad-duration: expected a duration such as 30s, got "soon"; units are ms, s, m, h and d'],
    ['-5s', 'bad-duration: expected a duration such as 30s, got "-5s"; units are ms, s, m, h and d'],
  ])('the duration %s is explained', (value, expected) => {
    expect(one(duration(), value)).toEqual([`1:4 ${expected}`]);
  });

  test('a schema that brings its own message for a known pattern is explained the same way', () => {
    expect(one(z.string().regex(durationPattern, { error: 'no' }), '"30"')).toEqual(one(duration(), '"30"'));
    expect(one(z.string().regex(ratePattern), '10/sec')).toEqual([
      '1:4 bad-rate: expected a rate such as 10/s, got "10/sec"; did you mean 10/s?',
    ]);
    expect(one(z.string().regex(percentPattern), '0.5')).toEqual([
      '1:4 wrong-type: expected a percentage such as 50%, got 0.5: the percent sign is missing; did you mean 50%?',
    ]);
  });

  test('bounds are told with what was written', () => {
    expect(one(duration({ min: '1s', max: '1h' }), '500ms')).toEqual(['1:4 out-of-bounds: expected at least 1 s, got 500ms']);
    expect(one(duration({ min: '1s', max: '1h' }), '2h')).toEqual(['1:4 out-of-bounds: expected at most 1 h, got 2h']);
    expect(one(percent(), '0%')).toEqual(['1:4 out-of-bounds: expected more than 0% and at most 100%, got 0%']);
    expect(one(rate(), '0/s')).toEqual(['1:4 out-of-bounds: expected more than 0, got 0/s']);
  });

  test.each([
    ['duration', '30s', 'an operator is missing; did you mean "<= 30s"?'],
    ['duration', '"<= 30"', 'a unit is missing; did you mean "<= 30s"?'],
    ['duration', '"=< 30 sec"', '; did you mean "<= 30s"?'],
    ['duration', '"<= 5%"', 'that is a percentage, not a duration; for example "<= 30s"'],
    ['ratio', '"<= 5"', 'a unit is missing; did you mean "<= 5%"?'],
    ['count', '"<= 5s"', 'that is a duration, not a count; for example "<= 5"'],
    ['count', '"5"', 'an operator is missing; did you mean "<= 5"?'],
    ['count', 'many', '; an operator (<=, <, >=, >, ==), then a value with its unit'],
  ] as const)('a comparison in %s given %s is explained', (unit, value, expected) => {
    expect(one(comparison(unit), value)[0]).toContain(expected);
  });

  test('a count may be a bare number, which means equal', () => {
    const parsed = parseYaml('v: 0\n', 'e', z.strictObject({ v: comparison('count') }));

    expect(parsed).toMatchObject({ ok: true, value: { v: { operator: '==', value: 0, unit: 'count' } } });
  });
});

test('a password that stands in the file is not repeated by a mistake beside it', () => {
  const schema = z.strictObject({ admin: z.strictObject({ user: z.string(), password: z.string() }) });

  const [found] = mistakes('admin: { user: 5, password: hunter2 }\n', schema);

  expect(found?.snippet?.text).toBe('admin: { user: 5, password: ******* }');
});
