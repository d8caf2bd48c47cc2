import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { newRunId, parseRunId, targetId } from '../../../src/core/ids.ts';

it('a run id is six characters that need no quoting, and reads back', () => {
  const ids = Array.from({ length: 500 }, newRunId);
  for (const id of ids) expect(parseRunId(id)).toBe(id);
  expect(new Set(ids).size).toBeGreaterThan(498);
});

it.each(['', 'abc', 'abcdefg', 'ABCDEF', 'abcde1', 'abcde\n', 'abcdef\n', '../abc'])('%j is no run id', (text) => {
  expect(parseRunId(text)).toBeUndefined();
});

it('a target name holds nothing that a path or a shell would act on', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'aZ0._-/ \n;$é') }), (name) => {
      try {
        expect(targetId(name)).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);
        expect(name).not.toContain('\n');
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }),
  );
  expect(targetId('web-1.shop_eu')).toBe('web-1.shop_eu');
  for (const bad of ['', '-rf', '.', '..', 'a b', 'a\n', 'x'.repeat(254)]) expect(() => targetId(bad)).toThrow(RangeError);
});
