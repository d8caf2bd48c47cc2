/** Mistakes in files, for people (with the line and a caret) and for machines. Pure: gives text, writes nothing. */
import { styleText } from 'node:util';
import type { Diagnostic } from '../core/diagnostics.ts';
import { plural } from '../core/text.ts';

/** Of the source line around the caret; longer lines are cut. */
const maxSnippet = 120;
const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
/** Marks that are drawn on the character before them, and joiners. */
const zeroWidth = /\p{Mn}|\p{Me}|\p{Cf}/u;

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

/** All diagnostics with their lines, then how many there are; empty text for none. */
export function renderDiagnostics(diagnostics: readonly Diagnostic[], options: { readonly color: boolean }): string {
  if (diagnostics.length === 0) return '';
  const paint: Paint = (style, text) => (options.color ? styleText(style, text) : text);
  return `${[...diagnostics.map((one) => renderOne(one, paint)), countLine(diagnostics)].join('\n')}\n`;
}

/** Plain data for `--json`, versioned. */
export function diagnosticsJson(diagnostics: readonly Diagnostic[]) {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  return { version: 1, valid: errors === 0, errors, warnings: diagnostics.length - errors, diagnostics } as const;
}

function renderOne(diagnostic: Diagnostic, paint: Paint): string {
  const { severity, summary, detail, file, line, column } = diagnostic;
  const label = paint(['bold', severity === 'error' ? 'red' : 'yellow'], `${severity}:`);
  const lines = [`${paint('bold', `${file}:${line}:${column}`)} ${label} ${summary}`, ...snippetLines(diagnostic, paint)];
  for (const [index, text] of (detail ?? '').split('\n').entries()) {
    if (text !== '') lines.push(index === 0 ? `  ${paint('cyan', 'help:')} ${text}` : `        ${text}`);
  }
  return `${lines.join('\n')}\n`;
}

function snippetLines({ snippet, line, column, severity }: Diagnostic, paint: Paint): string[] {
  if (snippet === undefined) return [];
  const characters = [...snippet.text].map(printable);
  const from = characters.length <= maxSnippet ? 0 : Math.max(0, Math.min(column - 1 - 20, characters.length - maxSnippet));
  const to = Math.min(characters.length, from + maxSnippet);
  const cutLeft = from > 0 ? '…' : '';
  const cutRight = to < characters.length ? '…' : '';
  const caretAt = Math.min(column - 1, to);
  const before = cutLeft.length + columnsOf(characters.slice(from, caretAt));
  const marked = Math.max(1, columnsOf(characters.slice(caretAt, Math.min(to, caretAt + snippet.length))));
  const gutter = String(line);
  const bar = paint('dim', '|');
  return [
    `  ${paint('dim', gutter)} ${bar} ${cutLeft}${characters.slice(from, to).join('')}${cutRight}`,
    `  ${' '.repeat(gutter.length)} ${bar} ${' '.repeat(before)}${paint(severity === 'error' ? 'red' : 'yellow', '^'.repeat(marked))}`,
  ];
}

/** One character in, one out, so that the caret stays in place: tabs as a space, what would steer the terminal as a mark. */
function printable(character: string): string {
  if (character === '\t') return ' ';
  return /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(character) ? '\ufffd' : character;
}

function columnsOf(characters: readonly string[]): number {
  return characters.reduce((sum, character) => sum + (zeroWidth.test(character) ? 0 : wide.test(character) ? 2 : 1), 0);
}

function countLine(diagnostics: readonly Diagnostic[]): string {
  const { errors, warnings } = diagnosticsJson(diagnostics);
  const parts = [...(errors > 0 ? [plural(errors, 'error')] : []), ...(warnings > 0 ? [plural(warnings, 'warning')] : [])];
  const files = new Set(diagnostics.map(({ file }) => file)).size;
  return `${parts.join(' and ')} in ${plural(files, 'file')}`;
}
