import { describe, expect, test } from 'vitest';
import { durationField, durationMs, shellField, sizeBytes, sizeField } from '../../../src/faults/fields.ts';

function complaint(
  schema: { safeParse(value: unknown): { error?: { issues: { message: string }[] } | undefined } },
  value: unknown,
): string | undefined {
  return schema.safeParse(value).error?.issues[0]?.message;
}

describe('a duration field', () => {
  const field = durationField({ min: 100, max: 60_000 });

  test('keeps its text, so that parsing twice changes nothing', () => {
    expect(field.parse('1m')).toBe('1m');
    expect(durationMs('1m')).toBe(60_000);
  });

  test.each([
    ['30', 'expected a duration such as 30s, got "30": a unit is missing; did you mean 30s?'],
    [30, 'expected a duration such as 30s, got 30: a unit is missing; did you mean 30s?'],
    ['soon', 'expected a duration such as 30s, got "soon"'],
    ['2m', 'expected a duration from 100 ms to 1 min'],
    ['10ms', 'expected a duration from 100 ms to 1 min'],
  ])('says of %j: %s', (value, message) => {
    expect(complaint(field, value)).toBe(message);
  });
});

test.each([
  ['16MB', 16_777_216],
  ['512kB', 524_288],
  ['0B', 0],
  ['1.5GB', 1_610_612_736],
])('the size %s has %d bytes', (text, bytes) => {
  expect(sizeBytes(sizeField().parse(text))).toBe(bytes);
});

test('a size without a unit is refused with an example', () => {
  expect(complaint(sizeField(), '16')).toBe('expected a size such as 16MB, got "16"');
});

describe('a shell field', () => {
  test.each(['echo hi', 'touch chaos-@run@', 'mail someone@example.org', 'printf "%s\\n" a'])('takes %j', (text) => {
    expect(shellField().parse(text)).toBe(text);
  });

  test.each(['', '  ', 'echo \0', 'echo @processes@'])('refuses %j', (text) => {
    expect(shellField().safeParse(text).success).toBe(false);
  });
});
