/** Text that came from elsewhere, made safe to show; and small helpers for naming things to people. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: stripping them is the point
const ansi = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b\n]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: stripping them is the point
const control = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Removes terminal escapes, control characters (newline and tab stay) and bidi overrides from remote text. */
export function cleanText(text: string): string {
  return text.replace(ansi, '').replace(control, '');
}

/** The colours and weights of our own lines: nothing in them can hide a text or paint over another. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const style = /(\u001b\[(?:1|2|22|3[1-69])m)/;

/** The last net before a terminal: what reached a line of ours uncleaned loses everything but colours. */
export function screenText(text: string): string {
  return text
    .split(style)
    .map((part, index) => (index % 2 === 1 ? part : cleanText(part)))
    .join('');
}

/**
 * JSON on one line that also a terminal or an editor can be given: what JSON itself leaves as it is (eight-bit controls, line separators, bidi
 * overrides) is written as an escape, so that reading it back gives the same data.
 */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The last non-empty lines of a command's output, cleaned, at most `max` characters. */
export function tail(text: string, max = 400): string {
  const cleaned = cleanText(text).trim();
  return cleaned.length <= max ? cleaned : `…${cleaned.slice(-max)}`;
}

/** Quotes `value` for a POSIX shell: one word, nothing expanded. */
export function shellQuote(value: string): string {
  return /^[A-Za-z0-9_\-+=:,./@%]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

/** The nearest of `names` within edit distance 2 (1 for short words), for a did-you-mean. */
export function nearest(word: string, names: Iterable<string>): string | undefined {
  const limit = word.length <= 4 ? 1 : 2;
  let best: { name: string; distance: number } | undefined;
  for (const name of names) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase());
    if (distance <= limit && (best === undefined || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? (beforePrevious[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, substitution, swap));
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** `1 host`, `2 hosts`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
