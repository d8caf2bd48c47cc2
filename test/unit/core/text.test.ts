import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanText, jsonLine, nearest, plural, screenText, shellQuote, tail } from '../../../src/core/text.ts';

describe('cleanText', () => {
  it.each([
    ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
    ['cursor and screen control', 'a\u001b[2J\u001b[1;1Hb\u001b[?25l', 'ab'],
    ['a title set with BEL', '\u001b]0;owned\u0007ok', 'ok'],
    ['a link set with ST', '\u001b]8;;http://x\u001b\\text\u001b]8;;\u001b\\', 'text'],
    ['a title that never ends, and not what follows it', 'a\u001b]0;b\nc', 'a0;b\nc'],
    ['two-character escapes', 'a\u001bMb\u001b\\c', 'abc'],
    ['the escape of a reset', '\u001bcx', 'cx'],
    ['carriage returns that overwrite', 'good\rbad', 'goodbad'],
    ['backspaces and bells', 'a\b\u0007b', 'ab'],
    ['eight-bit controls', 'a\u009b31mb', 'a31mb'],
    ['bidi overrides and isolates', 'a\u202eb\u2066c\u200fd\u061ce', 'abcde'],
  ])('removes %s', (_what, dirty, clean) => {
    expect(cleanText(dirty)).toBe(clean);
  });

  it('keeps newlines, tabs and other languages', () => {
    expect(cleanText('数据库\tпервичный\nעברית 😀')).toBe('数据库\tпервичный\nעברית 😀');
  });

  it('leaves nothing that a terminal acts on, and nothing more to remove', () => {
    const nasty = fc.string({
      unit: fc.constantFrom('\u001b', '[', ']', '0', ';', 'm', '\u0007', '\\', '\r', '\n', '\u009b', '\u202e', 'x', 'P'),
    });
    fc.assert(
      fc.property(
        fc.oneof(nasty, fc.string({ unit: fc.integer({ min: 0, max: 0x2100 }).map((code) => String.fromCharCode(code)), maxLength: 8 })),
        (text) => {
          const clean = cleanText(text);
          // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
          expect(clean).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/);
          expect(cleanText(clean)).toBe(clean);
        },
      ),
    );
  });
});

describe('screenText', () => {
  it('keeps colours and nothing else that a terminal acts on', () => {
    const ours = '\u001b[31m\u001b[1mbad\u001b[22m\u001b[39m\tx\n';

    expect(screenText(ours)).toBe(ours);
    expect(screenText('a\u001b[2J\u001b]0;owned\u0007\u001b[8m\u001b[41m\u001b[32mb\rc\u009b2J\u202e')).toBe('a\u001b[32mbc2J');
    // What is left when a colour is taken out of the midst of a sequence must not be one.
    expect(screenText('\u001b\u001b[1m[2J')).toBe('\u001b[1m[2J');
  });
});

describe('jsonLine', () => {
  it('is the same data in one line without control characters', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: fc.integer({ min: 0, max: 0x2100 }).map((code) => String.fromCharCode(code)) })), (texts) => {
        const line = jsonLine({ texts });

        expect(JSON.parse(line)).toEqual({ texts });
        // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
      }),
    );
    expect(jsonLine('\u009b\u202e')).toBe('"\\u009b\\u202e"');
  });
});

describe('tail', () => {
  it('gives the end of a long text and all of a short one', () => {
    expect(tail('  short \n')).toBe('short');
    expect(tail(`${'x'.repeat(500)}end`, 10)).toBe('…xxxxxxxend');
  });
});

describe('shellQuote', () => {
  it('round-trips any text through a real shell', () => {
    const awkward = fc.string({ unit: fc.constantFrom(...`'"\`$\\ \n\t;&|<>(){}[]*?!#~=%^-é漢😀\r\u0001a0`) });
    const texts = fc.sample(fc.oneof(awkward, fc.string({ unit: 'grapheme' })), 400).map((text) => text.replaceAll('\0', ''));
    const cases = ['', "'", "''", '\\', '-n', '$(id)', '`id`', 'a\nb\n', '~', '*', ...texts].map((text) => Buffer.from(text).toString());

    const script = cases.map((text) => `printf '%s\\0' ${shellQuote(text)}`).join('\n');
    const out = execFileSync('sh', ['-s'], { input: script, encoding: 'utf8', maxBuffer: 1 << 26 });

    expect(out.split('\0').slice(0, -1)).toEqual(cases);
  });

  it('leaves plain words readable', () => {
    expect(shellQuote('/var/lib/pg-15/a_b')).toBe('/var/lib/pg-15/a_b');
    expect(shellQuote('two words')).toBe("'two words'");
  });
});

describe('nearest', () => {
  it.each([
    ['latancy', 'latency'],
    ['Latency', 'latency'],
    ['los', 'loss'],
    ['dbfailover', 'db-failover'],
  ])('for %j suggests %j', (word, name) => {
    expect(nearest(word, ['loss', 'latency', 'db-failover', 'process-kill'])).toBe(name);
  });

  it('suggests nothing far away, and for a short word only one edit', () => {
    expect(nearest('kubernetes', ['latency', 'loss'])).toBeUndefined();
    expect(nearest('abcd', ['abxy'])).toBeUndefined();
    expect(nearest('anything', [])).toBeUndefined();
  });

  it('finds a name after any single edit of it', () => {
    const name = fc.string({ unit: fc.constantFrom(...'abcdefgh-'), minLength: 5, maxLength: 12 });
    fc.assert(
      fc.property(name, fc.nat(), fc.constantFrom(...'xyz'), fc.constantFrom('insert', 'replace', 'remove'), (word, at, letter, edit) => {
        const index = at % word.length;
        const end = word.slice(edit === 'insert' ? index : index + 1);
        expect(nearest(`${word.slice(0, index)}${edit === 'remove' ? '' : letter}${end}`, [word])).toBe(word);
      }),
    );
  });
});

describe('plural', () => {
  it('counts', () => {
    expect([0, 1, 2].map((count) => plural(count, 'host'))).toEqual(['0 hosts', '1 host', '2 hosts']);
  });
});
