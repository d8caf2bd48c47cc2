import { describe, expect, it } from 'vitest';
import { HttpSpec, statusBounds } from '../../../../src/probes/http/schema.ts';

const url = 'https://shop.example/checkout';

describe('HttpSpec', () => {
  it('fills in the defaults and parses its own result to the same', () => {
    const spec = HttpSpec.parse({ url });

    expect(spec).toEqual({
      url,
      method: 'GET',
      headers: {},
      rate: '10/s',
      timeout: '2s',
      expectStatus: '200-399',
      connection: 'keep-alive',
    });
    expect(HttpSpec.parse(spec)).toEqual(spec);
  });

  it('leaves secret references for later', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is how references are written
    expect(HttpSpec.safeParse({ url: '${env:SHOP_URL}', headers: { authorization: 'Bearer ${file:/token}' } }).success).toBe(true);
  });

  it.each([
    { url: 'ftp://shop.example/' },
    { url: 'shop.example' },
    { url, methods: 'GET' },
    { url, method: 'get' },
    { url, headers: { 'a b': 'c' } },
    { url, headers: { a: 'b\r\nc: d' } },
    { url, expectStatus: '399-200' },
    { url, expectStatus: 99 },
    { url, expectStatus: '2xx' },
    { url, connection: 'fresh' },
  ])('refuses %o', (spec) => {
    expect(HttpSpec.safeParse(spec).success).toBe(false);
  });

  it.each([
    ['200-399', { low: 200, high: 399 }],
    ['404', { low: 404, high: 404 }],
    [201, { low: 201, high: 201 }],
  ])('reads the statuses %j', (expected, bounds) => {
    expect(statusBounds(expected)).toEqual(bounds);
  });
});
