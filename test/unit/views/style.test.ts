import { expect, test } from 'vitest';
import { clip, displayWidth, wrap } from '../../../src/views/columns.ts';
import { styleFor, wantsColor } from '../../../src/views/style.ts';

test.each([
  [{ environment: {}, isTTY: true }, true],
  [{ environment: {}, isTTY: false }, false],
  [{ environment: { NO_COLOR: '1' }, isTTY: true }, false],
  [{ environment: { NO_COLOR: '' }, isTTY: true }, true],
  [{ environment: { FORCE_COLOR: '1' }, isTTY: false }, true],
  [{ environment: { FORCE_COLOR: '0' }, isTTY: true }, false],
  [{ environment: { NO_COLOR: '1', FORCE_COLOR: '1' }, isTTY: true }, false],
  [{ environment: { TERM: 'dumb' }, isTTY: true }, false],
  [{ flag: true, environment: { NO_COLOR: '1' }, isTTY: false }, true],
  [{ flag: false, environment: { FORCE_COLOR: '1' }, isTTY: true }, false],
])('decides on colour: %j is %s', (choice, expected) => {
  expect(wantsColor(choice)).toBe(expected);
});

test('writes no escape without colour', () => {
  expect(styleFor(false)('bad', 'x')).toBe('x');
  expect(styleFor(true)('bad', 'x')).toContain('\u001b[31m');
});

test('counts wide characters as two columns and combining ones as none', () => {
  expect(displayWidth('abc')).toBe(3);
  expect(displayWidth('数据库')).toBe(6);
  expect(displayWidth('e\u0301')).toBe(1);
});

test('cuts to a width with an ellipsis', () => {
  expect(clip('abcdef', 4)).toBe('abc…');
  expect(clip('数据库', 4)).toBe('数…');
  expect(clip('abc', 0)).toBe('');
});

test('wraps at spaces and breaks what has none', () => {
  expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
  expect(wrap('abcdefghijkl', 8)).toEqual(['abcdefgh', 'ijkl']);
});
