import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { dnsFailure } from '../../../src/faults/dns-failure/index.ts';
import { scripts } from '../../../src/faults/dns-failure/scripts.ts';
import { plannedHost } from '../../support/fault-run.ts';
import { complaints, refusals } from '../../support/shell-texts.ts';

describe('dns-failure', () => {
  test.each<JsonObject>([{}, { how: 'drop' }, { lookup: 'db.shop.example' }])(
    'with %j has texts that every shell reads',
    async (parameters) => {
      expect(await complaints(dnsFailure, parameters)).toEqual([]);
    },
  );

  test('takes host names and nothing else to look up', () => {
    for (const lookup of [
      'db',
      'db.shop.example',
      '_sip._tcp.shop.example',
      'xn--bcher-kva.example',
      '1.shop',
      `${'a'.repeat(63)}.example`,
    ])
      expect(refusals(dnsFailure, { lookup }), lookup).toEqual([]);
    for (const lookup of [
      '',
      '10.0.0.7',
      '-a.example',
      'a..b',
      'a b',
      'a;id',
      '$(id)',
      "it's",
      'ü.example',
      `${'a'.repeat(64)}.example`,
      '@run@',
    ])
      expect(refusals(dnsFailure, { lookup }), lookup).toHaveLength(1);
  });

  test('lets no name through that means something to a shell', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'ab1.-_$`"\'\\;&|<>(){}[]*?!# \n\t~@%^=+,/:'), minLength: 1, maxLength: 12 }),
        (lookup) => {
          if (refusals(dnsFailure, { lookup }).length === 0) expect(lookup).toMatch(/^[ab1._-]+$/);
        },
      ),
    );
  });

  test('asks for the own name of a host that uses sudo before its queries get no answer', () => {
    const look = (how: 'drop' | 'reject', become: 'none' | 'sudo'): string => {
      const target = { ...plannedHost('web-1'), become };
      const request = { parameters: { how }, targets: [target], hosts: [target], databases: [], step: 's1', maxDurationMs: 60_000 };
      return scripts({ parameters: { how }, target, id: '@run@-s1.1', request }).look;
    };

    expect(look('drop', 'sudo')).toContain('sudo would wait');
    expect(look('drop', 'none')).not.toContain('sudo would wait');
    expect(look('reject', 'sudo')).not.toContain('sudo would wait');
  });
});
