import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { dnsSpoof } from '../../../src/faults/dns-spoof/index.ts';
import { complaints, refusals, textsOf } from '../../support/shell-texts.ts';

describe('dns-spoof', () => {
  test('has texts that every shell reads', async () => {
    expect(await complaints(dnsSpoof, { names: { 'db.shop.example': '10.0.0.9', api: ['10.0.0.7', 'fd00::1'] } })).toEqual([]);
  });

  test('writes a line for each address, each with the mark of the fault', async () => {
    const { inject = '' } = await textsOf(dnsSpoof, { names: { 'db.shop.example': ['10.0.0.9', 'FD00:0::00A1'] } });

    expect(inject).toContain(
      [
        '# begin chaos-@run@-s1.1',
        '10.0.0.9 db.shop.example # chaos-@run@-s1.1',
        'fd00::a1 db.shop.example # chaos-@run@-s1.1',
        '# end chaos-@run@-s1.1',
      ].join('\n'),
    );
  });

  test.each<[string, JsonObject]>([
    ['no name', { names: {} }],
    ['too many names', { names: Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`n${index}`, '10.0.0.1'])) }],
    ['a name of an address', { names: { '10.0.0.1': '10.0.0.2' } }],
    ['a name with a blank', { names: { 'a b': '10.0.0.2' } }],
    ['a name with a line end', { names: { 'a\n10.0.0.1 b': '10.0.0.2' } }],
    ['an address of three numbers', { names: { a: '10.0.1' } }],
    ['an address with a prefix', { names: { a: '10.0.0.0/24' } }],
    ['an address with a zone', { names: { a: 'fe80::1%eth0' } }],
    ['an IPv4 address in an IPv6 one', { names: { a: '::ffff:10.0.0.1' } }],
    ['no address', { names: { a: [] } }],
    ['a name as the address', { names: { a: 'b' } }],
  ])('refuses %s', (_what, parameters) => {
    expect(refusals(dnsSpoof, parameters)).not.toEqual([]);
  });

  test('says what an address is', () => {
    expect(refusals(dnsSpoof, { names: { 'db.shop.example': 'ten' } })).toEqual([
      'names.db.shop.example: expected an IPv4 or IPv6 address such as 10.0.0.7, or up to 8 of them, got "ten"',
    ]);
  });

  test('lets nothing through that means something to a shell or to the hosts file', () => {
    const text = fc.string({ unit: fc.constantFrom(...'a1.:-_$`"\'\\;&|<>(){}[]*?!# \n\t~@%^=+,/'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(text, text, (name, address) => {
        if (refusals(dnsSpoof, { names: { [name]: '10.0.0.1' } }).length === 0) expect(name).toMatch(/^[a1._-]+$/);
        if (refusals(dnsSpoof, { names: { a: address } }).length === 0) expect(address).toMatch(/^[a1.:]+$/);
      }),
    );
  });
});
