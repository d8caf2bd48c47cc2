/** How wide text is on a terminal, and how to make it fit. Works on text without escapes: cut first, colour afterwards. */
const wide =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303f\uff01-\uff60\uffe0-\uffe6]/u;
const zero = /^(?:\p{Mark}|[\u200b-\u200d])$/u;

export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  if (point >= 0x20 && point < 0x7f) return 1;
  if (zero.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}

/** Cut to `columns` with an ellipsis at the end. */
export function clip(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (displayWidth(text) <= columns) return text;
  let cut = '';
  let width = 0;
  for (const character of text) {
    width += characterWidth(character);
    if (width > columns - 1) break;
    cut += character;
  }
  return `${cut}…`;
}

/** Padded with spaces to `columns`; longer text stays as it is. */
export function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - displayWidth(text)));
}

/** Broken at spaces so that no line is wider than `columns`; a single longer word is broken where it must be. */
export function wrap(text: string, columns: number): string[] {
  const room = Math.max(8, columns);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (displayWidth(joined) <= room) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = chop(word, room);
    lines.push(...pieces.slice(0, -1));
    line = pieces.at(-1) ?? '';
  }
  if (line !== '') lines.push(line);
  return lines;
}

function chop(word: string, room: number): string[] {
  const pieces = [''];
  let width = 0;
  for (const character of word) {
    width += characterWidth(character);
    if (width > room) {
      pieces.push('');
      width = characterWidth(character);
    }
    pieces[pieces.length - 1] += character;
  }
  return pieces;
}
