import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson, JsonObject } from '../../../src/core/json.ts';

const json = fc.jsonValue({ maxDepth: 4 });

/** The same data with the keys of every object in another order. */
function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, shuffled(inner)] as const);
  return Object.fromEntries(entries.toReversed());
}

it('equal data gives equal text, whatever the order of keys', () => {
  fc.assert(fc.property(json, (value) => canonicalJson(value) === canonicalJson(shuffled(value))));
});

it('the text holds the data', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

it('different data gives different text', () => {
  fc.assert(
    fc.property(json, json, (a, b) => {
      fc.pre(JSON.stringify(shuffled(a)) !== JSON.stringify(shuffled(b)) && JSON.stringify(a) !== JSON.stringify(b));
      expect(canonicalJson(a) === canonicalJson(b)).toBe(canonicalJson(shuffled(a)) === canonicalJson(shuffled(b)));
    }),
  );
  expect(canonicalJson({ a: [1, 2] })).not.toBe(canonicalJson({ a: [2, 1] }));
});

it('an undo record is plain data and nothing else', () => {
  expect(JsonObject.safeParse({ a: [1, { b: null }] }).success).toBe(true);
  for (const bad of [[], 'text', null, { when: new Date() }, { number: Number.NaN }, { run: () => 1 }, { big: 1n }]) {
    expect(JsonObject.safeParse(bad).success).toBe(false);
  }
});
