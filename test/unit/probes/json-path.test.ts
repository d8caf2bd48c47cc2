import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonPath, readJsonPath } from '../../../src/probes/json-path.ts';

const data = {
  data: { status: 'ready', queues: [{ length: 3 }, { length: null }] },
  labels: { 'app.kubernetes.io/name': 'shop' },
  '0': 'key',
};

describe('readJsonPath', () => {
  it.each([
    ['data.status', 'ready'],
    ['data.queues[0].length', 3],
    ['data.queues[1].length', null],
    ['labels["app.kubernetes.io/name"]', 'shop'],
    ['0', 'key'],
    ['data.queues', data.data.queues],
    ['data.queues[2].length', undefined],
    ['data.queues.0', undefined],
    ['data.queues.length', undefined],
    ['data.status.length', undefined],
    ['data[0]', undefined],
    ['constructor', undefined],
    ['data.__proto__', undefined],
    ['data.status.more', undefined],
  ])('reads %s as %j', (path, expected) => {
    expect(JsonPath.safeParse(path).success).toBe(true);
    expect(readJsonPath(data, path)).toEqual(expected);
  });

  it('finds every key of every object', () => {
    const key = fc.string({ minLength: 1 }).filter((text) => !/["\\]/.test(text));
    fc.assert(
      fc.property(key, key, fc.jsonValue(), (outer, inner, value) => {
        const object = JSON.parse(JSON.stringify({ [outer]: { [inner]: value } })) as unknown;

        expect(readJsonPath(object, `["${outer}"]["${inner}"]`)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each(['', '.a', 'a.', 'a..b', 'a[b]', 'a[0', 'a b', 'a[-1]', '[""]', 'a["b]'])('refuses the path %j', (path) => {
    expect(JsonPath.safeParse(path).success).toBe(false);
  });
});
