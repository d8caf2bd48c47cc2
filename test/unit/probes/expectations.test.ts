import { describe, expect, it } from 'vitest';
import { ExpectJson, ExpectText, jsonMistake, textMatcher } from '../../../src/probes/expectations.ts';

describe('expectText', () => {
  it.each([
    ['in stock', '3 in stock', true],
    ['in stock', '3 In Stock', false],
    ['a.c', 'abc', false],
    [{ matches: '^a.c$' }, 'abc', true],
    [{ matches: '^a.c$' }, 'abcd', false],
    [{ matches: '\\d{3}' }, 'no 42', false],
  ])('%j in %j is %s', (expected, text, found) => {
    expect(textMatcher(ExpectText.parse(expected))(text)).toBe(found);
  });

  it.each(['', { matches: '' }, { matches: '(' }, { matches: 'a', flags: 'i' }])('refuses %j', (expected) => {
    expect(ExpectText.safeParse(expected).success).toBe(false);
  });
});

describe('expectJson', () => {
  const text = '{"status":"ready","lag":4.5,"up":true,"error":null,"limit":"< 5"}';

  it.each([
    [{ status: 'ready', lag: '< 5', up: true, error: null }, undefined],
    [{ lag: 4.5 }, undefined],
    [{ lag: '>= 4.5' }, undefined],
    [{ lag: '> 4.5' }, 'JSON value differs'],
    [{ lag: '4.5' }, 'JSON value differs'],
    [{ limit: '< 5' }, 'JSON value differs'],
    [{ up: 'true' }, 'JSON value differs'],
    [{ status: 'ready', nothing: 1 }, 'JSON path missing'],
    [{ error: 0 }, 'JSON value differs'],
  ])('%j gives %j', (expected, mistake) => {
    expect(jsonMistake(text, ExpectJson.parse(expected))).toBe(mistake);
  });

  it('says of what is no JSON that it is none', () => {
    expect(jsonMistake('<html>', { status: 'ready' })).toBe('not JSON');
    expect(jsonMistake('', { status: 'ready' })).toBe('not JSON');
  });

  it.each([{}, { 'a..b': 1 }, { lag: '< 5s' }, { lag: '< 5%' }, { list: [] }])('refuses %j', (expected) => {
    expect(ExpectJson.safeParse(expected).success).toBe(false);
  });
});
