/** Text from elsewhere, made harmless in markdown: it can start no markup, no HTML, no mention, and no marker of ours. */
import { cleanText } from '../core/text.ts';
import { oneLine } from '../journal/fold-words.ts';

/** For running text and table cells: one line. What means nothing to markdown stays as it is, so that the source reads well too. */
export function safe(text: string): string {
  return oneLine(text)
    .replace(/&(?=#?\w+;)/g, '&amp;')
    .replace(/<(?=[A-Za-z/!?])/g, '&lt;')
    .replace(/[\\`*[\]|~$]/g, '\\$&')
    .replace(/^(?:[#+-](?=[\s#]|$)|[=-]+(?=\s*$)|>)/, '\\$&')
    .replace(/^(\d+)(?=[.)](?:\s|$))/, '$1\\')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_')
    .replace(/(?<![\p{L}\p{N}])([@#])(?=[\p{L}\p{N}])/gu, '$1&#8203;')
    .replace(/\b(https?|ftp)(?=:\/\/)|\b(www)(?=\.)/gi, '$&&#8203;');
}

/** An inline code span; in a table's cell a bar would end the cell even inside it. */
export function code(text: string): string {
  const line = oneLine(text).replaceAll('|', '¦');
  if (line === '') return '';
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map((run) => run[0].length));
  const ticks = '`'.repeat(longest + 1);
  const pad = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

/** A fenced block that its content cannot close. */
export function fenced(text: string, language = ''): string {
  const body = cleanText(text)
    .replaceAll('<!-- chaos:', '<!- - chaos:')
    .replace(/^# chaos:/gm, '#  chaos:')
    .trimEnd();
  const longest = Math.max(2, ...[...body.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${body}\n${fence}`;
}

/** Cells must be escaped already; with no rows, `empty` instead of a head without a body. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  if (rows.length === 0) return empty;
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const filled = rows.map((cells) => cells.map((cell) => (cell === '' ? '–' : cell)));
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...filled.map(line)].join('\n');
}

/** A YAML scalar in double quotes; JSON strings are YAML. */
export function yamlString(text: string): string {
  return JSON.stringify(oneLine(text));
}
