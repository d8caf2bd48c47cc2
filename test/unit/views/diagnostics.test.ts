import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import type { Diagnostic } from '../../../src/core/diagnostics.ts';
import { diagnosticsJson, renderDiagnostics } from '../../../src/views/diagnostics.ts';

const typo: Diagnostic = {
  severity: 'error',
  code: 'unknown-fault',
  summary: 'unknown fault "latancy"',
  detail: 'did you mean "latency"?',
  file: 'experiments/db.yaml',
  line: 6,
  column: 12,
  snippet: { text: '  - fault: latancy', length: 7 },
};

test('a mistake is shown with its place, its line, a caret and the help', () => {
  expect(renderDiagnostics([typo, { ...typo, severity: 'warning', detail: 'first\nsecond' }], { color: false })).toBe(
    [
      'experiments/db.yaml:6:12 error: unknown fault "latancy"',
      '  6 |   - fault: latancy',
      '    |            ^^^^^^^',
      '  help: did you mean "latency"?',
      '',
      'experiments/db.yaml:6:12 warning: unknown fault "latancy"',
      '  6 |   - fault: latancy',
      '    |            ^^^^^^^',
      '  help: first',
      '        second',
      '',
      '1 error and 1 warning in 1 file',
      '',
    ].join('\n'),
  );
});

test('nothing wrong is nothing said', () => {
  expect(renderDiagnostics([], { color: false })).toBe('');
});

test('colour only adds to the text', () => {
  const plain = renderDiagnostics([typo], { color: false });
  const coloured = renderDiagnostics([typo], { color: true });

  expect(stripVTControlCharacters(coloured)).toBe(plain);
  expect(stripVTControlCharacters(plain)).toBe(plain);
});

test('the caret stays under its place after tabs, wide characters and combining marks', () => {
  const text = 'a:\t日本e\u0301😀 x';
  const rendered = renderDiagnostics([{ ...typo, line: 1, column: [...text].length, snippet: { text, length: 1 } }], { color: false });

  expect(rendered.split('\n')[2]).toBe(`    | ${' '.repeat(3 + 4 + 1 + 2 + 1)}^`);
});

test('control characters of the file do not steer the terminal', () => {
  const rendered = renderDiagnostics([{ ...typo, snippet: { text: 'a: \u001b[31m\u202ex', length: 1 } }], { color: false });

  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
  expect(rendered).not.toMatch(/[\u001b\u202e]/);
});

test('of a very long line the part around the caret is shown', () => {
  const text = `${'x'.repeat(500)}HERE${'y'.repeat(500)}`;
  const [, line = '', caret = ''] = renderDiagnostics([{ ...typo, column: 501, snippet: { text, length: 4 } }], { color: false }).split(
    '\n',
  );

  expect(line.length).toBeLessThan(140);
  expect(line.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('HERE');
});

test('a mistake without a snippet, as for an unreadable file, is one line', () => {
  const { snippet: _snippet, detail: _detail, ...bare } = typo;

  expect(renderDiagnostics([bare], { color: false }).split('\n')[0]).toBe('experiments/db.yaml:6:12 error: unknown fault "latancy"');
});

test('machines get the count and the same facts', () => {
  expect(diagnosticsJson([typo])).toEqual({ version: 1, valid: false, errors: 1, warnings: 0, diagnostics: [typo] });
  expect(diagnosticsJson([])).toMatchObject({ valid: true });
});
