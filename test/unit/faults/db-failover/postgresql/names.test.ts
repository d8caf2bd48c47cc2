import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  conninfoValue,
  lsn,
  namesStandby,
  receiverName,
  renameStandby,
  slotName,
} from '../../../../../src/faults/db-failover/postgresql/names.ts';

test.each([
  ['db-a', 'db_a'],
  ['DB1.example.org', 'db1_example_org'],
  ['x'.repeat(80), 'x'.repeat(63)],
])('the slot of %s is %s', (host, slot) => {
  expect(slotName(host)).toBe(slot);
});

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['two words', "'two words'"],
  ["a'b\\c", "'a\\'b\\\\c'"],
  ['', "''"],
])('the connection string value %j is written %s', (value, text) => {
  expect(conninfoValue(value)).toBe(text);
});

describe('a standby is known by', () => {
  test.each([
    ['its application name', 'host=h application_name=db-b fallback_application_name=walreceiver', '', 'db-b'],
    ['its quoted application name', "application_name='my \\'standby' host=h", '', "my 'standby"],
    ['its cluster name', 'host=h fallback_application_name=walreceiver', 'node2', 'node2'],
    ['the default', 'host=h', '', 'walreceiver'],
  ])('%s', (_by, conninfo, clusterName, name) => {
    expect(receiverName(conninfo, clusterName)).toBe(name);
  });
});

describe('synchronous_standby_names', () => {
  test.each([
    ['FIRST 1 ("db-b")', 'FIRST 1 ("db-a")'],
    ['ANY 1 ("db-b", "db-c")', 'ANY 1 ("db-a", "db-c")'],
    ['db_b, "db-b"', 'db_b, "db-a"'],
    ['DB-B', '"db-a"'],
    ['2 (first, "db-b")', '2 (first, "db-a")'],
    ['*', '*'],
    ['', ''],
  ])('%s becomes %s on the other side', (setting, renamed) => {
    expect(renameStandby(setting, 'db-b', 'db-a')).toBe(renamed);
  });

  test.each([
    ['FIRST 1 ("db-b")', true],
    ['"DB-B"', true],
    ['*', true],
    ['FIRST 1 ("db-bb")', false],
    ['', false],
  ])('%s names db-b: %s', (setting, named) => {
    expect(namesStandby(setting, 'db-b')).toBe(named);
  });

  test('keeps everything but the name, whatever stands around it', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/).filter((text) => !['any', 'first', 'mine'].includes(text));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 4 }), fc.integer({ min: 1, max: 3 }), (others, count) => {
        const list = (mine: string): string => `ANY ${count} (${[mine, ...others.map((one) => `"${one}"`)].join(', ')})`;
        expect(renameStandby(list('"mine"'), 'mine', 'yours')).toBe(list('"yours"'));
      }),
    );
  });
});

test('log positions compare beyond 32 bits', () => {
  expect(lsn('1/0') > lsn('0/FFFFFFFF')).toBe(true);
  expect(lsn('0/0306B990') > lsn('0/3000000')).toBe(true);
  expect(() => lsn('soon')).toThrow(RangeError);
});
