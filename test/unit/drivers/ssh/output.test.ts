import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BoundedOutput, GroupLine, LastOutput } from '../../../../src/drivers/ssh/output.ts';

/** Cuts `data` at the given places. */
function pieces(data: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (data.length + 1)).sort((a, b) => a - b), data.length];
  return places.slice(1).map((end, index) => data.subarray(places[index], end));
}

const cuts = fc.array(fc.nat(), { maxLength: 8 });

test('output within the limit comes back as it was, however it was cut', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), cuts, (text, places) => {
      const output = new BoundedOutput(10_000);
      for (const piece of pieces(Buffer.from(text), places)) output.add(piece);

      expect(output.text()).toBe(text);
      expect(output.truncated).toBe(false);
    }),
  );
});

test('output over the limit is a beginning of what came, without half a character, and says so', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(20), cuts, (text, limit, places) => {
      const data = Buffer.from(text);
      fc.pre(data.length > limit);
      const output = new BoundedOutput(limit);
      for (const piece of pieces(data, places)) output.add(piece);

      expect(output.truncated).toBe(true);
      expect(text.startsWith(output.text())).toBe(true);
      expect(Buffer.byteLength(output.text())).toBeGreaterThan(limit - 4);
      expect(Buffer.byteLength(output.text())).toBeLessThanOrEqual(limit);
    }),
  );
});

test('complaints over the limit are the end of what came, without half a character, and say so', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.nat(40), cuts, (text, limit, places) => {
      const data = Buffer.from(text);
      const output = new LastOutput(limit);
      for (const piece of pieces(data, places)) output.add(piece);

      expect(output.truncated).toBe(data.length > limit);
      expect(text.endsWith(output.text())).toBe(true);
      expect(Buffer.byteLength(output.text())).toBeGreaterThan(Math.min(limit, data.length) - 4);
      expect(Buffer.byteLength(output.text())).toBeLessThanOrEqual(limit);
    }),
  );
});

test('complaints of any length are held in little memory', () => {
  const output = new LastOutput(1_000);
  const before = process.memoryUsage().arrayBuffers;
  for (let count = 0; count < 2_000; count++) output.add(Buffer.alloc(100_000, 0x78));

  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(150_000_000);
  expect(output.text()).toBe('x'.repeat(1_000));
});

test('the line with the process group is taken off, with the noise before it, however the output was cut', () => {
  fc.assert(
    fc.property(
      fc.string().filter((noise) => !noise.includes('mark')),
      fc.integer({ min: 2, max: 4_194_304 }),
      fc.string(),
      cuts,
      (noise, pid, own, places) => {
        const line = new GroupLine('mark0123', () => undefined);
        const rest = pieces(Buffer.from(`${noise}mark0123 ${pid}\n${own}`), places).map((piece) => line.strip(piece));

        expect(Buffer.concat(rest).toString()).toBe(own);
        expect(line.group).toBe(pid);
      },
    ),
  );
});

test('the process group is announced once, as soon as its line is complete', () => {
  const seen: number[] = [];
  const line = new GroupLine('mark', (group) => seen.push(group));
  line.strip(Buffer.from('mark 4'));
  expect(seen).toEqual([]);
  line.strip(Buffer.from('2\nmark 43\n'));

  expect(seen).toEqual([42]);
});

test('endless noise before the line is not kept', () => {
  const line = new GroupLine('mark', () => undefined);
  for (let round = 0; round < 100; round++) expect(line.strip(Buffer.alloc(100_000, 'x'))).toHaveLength(0);
  line.strip(Buffer.from('\nma'));
  const rest = line.strip(Buffer.from('rk 7\nown'));

  expect(rest.toString()).toBe('own');
  expect(line.group).toBe(7);
});

test('a process group that would end everything is never believed', () => {
  for (const pid of ['0', '1', '-1', '', 'x']) {
    const line = new GroupLine('mark', () => undefined);
    line.strip(Buffer.from(`mark ${pid}\n`));

    expect(line.group).toBeUndefined();
  }
});
