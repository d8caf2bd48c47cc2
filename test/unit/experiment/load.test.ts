import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { loadExperiment } from '../../../src/experiment/load.ts';
import { experimentSchema } from '../../../src/experiment/schema.ts';
import { parseYaml } from '../../../src/experiment/yaml.ts';
import { fakeFaults } from './fakes.ts';

const fixture = fileURLToPath(new URL('../../fixtures/files/experiment.yaml', import.meta.url));
const good = readFileSync(fixture, 'utf8');
const folder = mkdtempSync(path.join(tmpdir(), 'chaos-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, content: string | Uint8Array): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

test('a loaded experiment carries its bytes and can be pointed into', () => {
  const loaded = loadExperiment(fixture, fakeFaults);

  expect(loaded).toMatchObject({ ok: true, warnings: [], value: { file: fixture, bytes: readFileSync(fixture) } });
  if (!loaded.ok) return;
  expect(loaded.value.source.diagnostic({ code: 'x', path: ['method', 0, 'with', 'delay'], summary: 'too slow' })).toMatchObject({
    file: 'test/fixtures/files/experiment.yaml',
    line: 12,
    column: 20,
    snippet: { text: '    with: { delay: 200ms }', length: 5 },
  });
  expect(loaded.value.source.diagnostic({ code: 'x', path: ['method', 0, 'with', 'jitter'], summary: 'missing' })).toMatchObject({
    line: 12,
    column: 5,
  });
});

test('a name that is not the file’s and a runbook that is not there are warnings', () => {
  const loaded = loadExperiment(written('other.yaml', good.replace('owner: sre', 'owner: sre\nrunbook: gone.md')), fakeFaults);

  expect(loaded).toMatchObject({
    ok: true,
    warnings: [
      { code: 'name-mismatch', severity: 'warning' },
      { code: 'missing-runbook', line: 6 },
    ],
  });
});

test('an environment file given as an experiment is one mistake', () => {
  const environment = fileURLToPath(new URL('../../fixtures/files/environment.yaml', import.meta.url));

  expect(loadExperiment(environment, fakeFaults)).toMatchObject({ ok: false, diagnostics: [{ code: 'wrong-kind', line: 2, column: 7 }] });
});

test('bytes that are not UTF-8 are a diagnostic', () => {
  expect(loadExperiment(written('binary.yaml', Uint8Array.of(0x61, 0x3a, 0x20, 0xff, 0xfe)), fakeFaults)).toMatchObject({
    ok: false,
    diagnostics: [{ code: 'bad-file', summary: 'the file is not UTF-8 text' }],
  });
});

test('a byte order mark does not move anything', () => {
  expect(loadExperiment(written('experiment.yaml', `\ufeff${good}`), fakeFaults)).toMatchObject({ ok: true, warnings: [] });
  expect(loadExperiment(written('bom.yaml', '\ufeffzzz: 1\n'), fakeFaults)).toMatchObject({
    ok: false,
    diagnostics: expect.arrayContaining([expect.objectContaining({ column: 1 })]),
  });
});

test('whatever is cut out of or put into a file, it is read or diagnosed inside the file, never thrown', () => {
  const schema = experimentSchema(fakeFaults);
  const pieces = fc.constantFrom(
    '',
    '\t',
    '- ',
    '{',
    '}',
    '[',
    ': ',
    '*a',
    '&a ',
    '"',
    '|\n',
    '? ',
    '\n',
    '---\n',
    'null',
    '!!x ',
    '\u0000',
    '<<: ',
    '__proto__: 1',
  );
  fc.assert(
    fc.property(fc.nat(good.length), fc.nat(40), pieces, (at, length, piece) => {
      const text = good.slice(0, at) + piece + good.slice(at + length);

      const parsed = parseYaml(text, 'e.yaml', schema);

      if (parsed.ok) return;
      const lines = text.split('\n').length;
      expect(parsed.diagnostics.length).toBeGreaterThan(0);
      for (const one of parsed.diagnostics) {
        expect(one.line).toBeGreaterThanOrEqual(1);
        expect(one.line).toBeLessThanOrEqual(lines);
        expect(one.summary).not.toBe('');
      }
    }),
    { numRuns: 500 },
  );
});
