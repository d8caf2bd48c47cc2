// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { References } from '../../../src/environment/references.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'chaos-references-'));
afterAll(() => rmSync(folder, { recursive: true }));

function secretFile(name: string, content: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return `\${file:${file}}`;
}

describe('resolving', () => {
  test('variables and files are put in place of their references; one trailing newline of a file goes', () => {
    const references = new References({ TOKEN: 'abcd' });

    expect(references.resolve('Bearer ${env:TOKEN}!')).toBe('Bearer abcd!');
    expect(references.resolve(`${secretFile('a', 'pa$$word\n\n')}`)).toBe('pa$$word\n');
  });

  test('plain data is resolved at every depth and otherwise unchanged', () => {
    const references = new References({ A: 'xxxx' });

    expect(references.resolveDeep({ a: ['${env:A}', 1, null], b: { c: 'plain' } })).toEqual({ a: ['xxxx', 1, null], b: { c: 'plain' } });
  });

  test('a value that looks like a reference is not resolved again', () => {
    expect(new References({ A: '${env:B}', B: 'secret' }).resolve('${env:A}')).toBe('${env:B}');
  });

  test.each([
    ['${env:NONE}', 'is not set'],
    ['${env:EMPTY}', 'is empty'],
    ['${env:constructor}', 'is not set'],
    ['${file:/does/not/exist}', 'cannot be read'],
    ['${file:relative}', 'is not absolute'],
    ['${vault:x}', 'not supported'],
  ])('%s is refused by name', (reference, because) => {
    const references = new References({ EMPTY: '' });

    expect(() => references.resolve(reference)).toThrow(
      expect.objectContaining({ code: 'CHAOS_SECRET', message: expect.stringContaining(because) }),
    );
  });

  test('an empty file and a huge file are refused', () => {
    const references = new References({});

    expect(() => references.resolve(secretFile('empty', '\n'))).toThrow('the file is empty');
    expect(() => references.resolve(secretFile('huge', 'x'.repeat(70_000)))).toThrow('at most 65536');
  });
});

describe('redacting', () => {
  test('nothing that was handed out is left, plain, in JSON or in a URL', () => {
    const references = new References({ A: 'p"ss word', B: 'p"ss word and more' });
    references.resolve('${env:A}${env:B}');

    expect(references.redact(`x p"ss word and more y ${JSON.stringify('p"ss word')} z ${encodeURIComponent('p"ss word')}`)).toBe(
      'x [redacted] y "[redacted]" z [redacted]',
    );
  });

  test('values of fewer than four characters are left, for they stand everywhere', () => {
    const references = new References({ A: 'abc' });
    references.resolve('${env:A}');

    expect(references.redact('abc')).toBe('abc');
  });

  test('holds for any set of secrets and any text around them', () => {
    const secret = fc.string({ minLength: 4, maxLength: 12 }).filter((text) => !'[redacted]'.includes(text));
    fc.assert(
      fc.property(fc.array(secret, { minLength: 1, maxLength: 5 }), (secrets) => {
        const references = new References(Object.fromEntries(secrets.map((value, index) => [`S${index}`, value])));
        secrets.forEach((_value, index) => {
          references.resolve(`\${env:S${index}}`);
        });

        for (const value of secrets) expect(references.redact(`< ${value} >`)).not.toContain(`< ${value} >`);
      }),
      { numRuns: 200 },
    );
  });
});
