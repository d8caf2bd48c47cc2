import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { fillShell, fillSql, fillStdin } from '../../../src/engine/variables.ts';

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ unit: fc.constantFrom(...`'"\\$\`;|&()<>*?~#! \n\t@=:{}[]^%,aZ0-._/+`), maxLength: 12 }),
);
const safe = fc.string({ unit: fc.constantFrom(...'abzAZ019._:/+-'), maxLength: 20 });

describe('a value in a shell text', () => {
  it('is let through as it is when it means nothing to a shell', () => {
    const values = fc.sample(safe, 150);
    const script = values.map((value) => `printf '%s\\n' x${fillShell('@value@', { value })}`).join('\n');
    const out = execFileSync('sh', ['-s'], { input: script, encoding: 'utf8' });

    expect(out.split('\n').slice(0, -1)).toEqual(values.map((value) => `x${value}`));
  });

  it('never reaches the text when it could mean anything', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        if (/^[A-Za-z0-9._:/+-]*$/.test(value) && !value.includes('\n')) return fillShell('echo @value@', { value }) === `echo ${value}`;
        try {
          fillShell('echo @value@', { value });
          return false;
        } catch (error) {
          return (error as { code?: string }).code === 'CHAOS_PLAN_DRIFT';
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(['$(id)', '`id`', 'a;b', 'a b', "'", '"', 'a\n', '\na', 'a|b', '~', '*', '\\', 'a\0', 'é'])('%j is refused', (value) => {
    expect(() => fillShell('echo @value@', { value })).toThrow(expect.objectContaining({ code: 'CHAOS_PLAN_DRIFT' }));
  });
});

describe('a value in a statement', () => {
  /** What the server's lexer reads in one literal at the end of `text` (PostgreSQL 4.1.2.1 and 4.1.2.2); `undefined` when it is not one. */
  function lexed(literal: string): string | undefined {
    const match = /^( E)?'((?:[^']|'')*)'$/su.exec(literal);
    if (match === null) return undefined;
    const [, escapes, body = ''] = match;
    const plain = body.replaceAll("''", "'");
    if (escapes === undefined) return plain.includes('\\') ? undefined : plain;
    // Every backslash must be part of a pair; a lone one would begin an escape.
    return /^(?:[^\\]|\\\\)*$/su.test(plain) ? plain.replaceAll('\\\\', '\\') : undefined;
  }

  it('is one literal that holds exactly the value, with standard_conforming_strings on or off', () => {
    fc.assert(
      fc.property(hostile, (value) => lexed(fillSql('@value@', { value })) === value),
      { numRuns: 1_000 },
    );
  });

  it('is quoted as the client library of the database does it', () => {
    fc.assert(fc.property(hostile, (value) => fillSql('@value@', { value }) === pg.escapeLiteral(value)));
  });

  it('keeps the statement around it', () => {
    expect(fillSql('SELECT pg_is_in_recovery(), @a@, @b-2@ WHERE x = @a@', { a: "o'x", 'b-2': 'c:\\d' })).toBe(
      "SELECT pg_is_in_recovery(), 'o''x',  E'c:\\\\d' WHERE x = 'o''x'",
    );
  });
});

describe('filling in', () => {
  it('does not look into what was filled in', () => {
    expect(fillStdin('@a@ @b@', { a: '@b@', b: '$& $1 @a@' })).toBe('@b@ $& $1 @a@');
  });

  it('wants a value for every name, also for those every object has', () => {
    for (const name of ['missing', 'constructor', 'valueof']) {
      for (const fill of [fillShell, fillSql, fillStdin])
        expect(() => fill(`x @${name}@`, {})).toThrow(expect.objectContaining({ code: 'CHAOS_PLAN_DRIFT' }));
    }
  });

  it('leaves what is no name alone', () => {
    expect(fillShell('ssh a@b c@d @ @A@ @1@ @@', {})).toBe('ssh a@b c@d @ @A@ @1@ @@');
  });
});
