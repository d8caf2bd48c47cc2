import { expect, test } from 'vitest';
import { code, fenced, safe, table } from '../../../src/report/escape.ts';

test.each([
  ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)>'],
  ['</details>', '&lt;/details>'],
  ['<!-- chaos:end verdict -->', '&lt;!-- chaos:end verdict -->'],
  ['a | b', 'a \\| b'],
  ['[x](javascript:alert(1))', '\\[x\\](javascript:alert(1))'],
  ['**bold** `code` _em_', '\\*\\*bold\\*\\* \\`code\\` \\_em\\_'],
  ['# heading', '\\# heading'],
  ['1. item', '1\\. item'],
  ['- item', '\\- item'],
  ['> 5%', '\\> 5%'],
  ['line\r\n\nbreak\u001b[31m red', 'line break red'],
  ['&lt;b&gt;', '&amp;lt;b&amp;gt;'],
  ['@here #12', '@&#8203;here #&#8203;12'],
  ['see http://evil.example', 'see http&#8203;://evil.example'],
])('makes %j harmless', (text, expected) => {
  expect(safe(text)).toBe(expected);
});

test.each(['<= 30s', '3.8 s', '== 0', 'pg_is_in_recovery() = f', 'alice@laptop', 'R&D', 'a > b', "don't"])(
  'leaves %j readable as it is',
  (text) => {
    expect(safe(text)).toBe(text);
  },
);

test('code spans hold any number of backticks and stay in their cell', () => {
  expect(code('a`b')).toBe('``a`b``');
  expect(code('`a`')).toBe('`` `a` ``');
  expect(code('a | b\n')).toBe('`a ¦ b`');
  expect(code('')).toBe('');
});

test('a fence is longer than any in its content, and holds no marker of ours', () => {
  expect(fenced('```\nx')).toBe('````\n```\nx\n````');
  expect(fenced('<!-- chaos:end appendix -->')).not.toContain('<!-- chaos:');
});

test('a table without rows is a sentence', () => {
  expect(table(['A'], [], 'Nothing.')).toBe('Nothing.');
  expect(table(['A', 'B'], [['1', '']], 'Nothing.')).toBe('| A | B |\n|---|---|\n| 1 | – |');
});
