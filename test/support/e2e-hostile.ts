/** What a host, or a file, could say to steer the reader's terminal or to write markup into a report. */

/** Escapes, a window title, colours that are not ours, overwriting, bidi overrides, eight-bit controls, bytes that are no UTF-8. */
export const hostileBytes =
  '\\033]0;owned\\007\\033[2J\\033[41mred\\033[0m over\\rwritten \\b\\b\\007 \\342\\200\\256bidi\\342\\201\\246 \\302\\2335A \\177 \\377\\376 \\033]0;open';

/** Markup of markdown and HTML, and the marks by which a report's blocks are found. */
export const hostileMarkup =
  '<script>alert(1)</script> | a | b | `x` ![x](http://hostile.example/x) [l](javascript:x) @all <!-- chaos:end timeline -->';

/** A command that prints both, after a flood of `megabytes`. */
export function loudScript(): string {
  return `#!/bin/sh
# loud.sh flood|binary|quiet MEGABYTES
case $1 in
  flood) yes 'a flood of words that mean nothing' | head -c "$2"000000 ;;
  binary) head -c "$2"000000 /dev/urandom ;;
esac
printf '${hostileBytes}\\n'
cat <<'END'
${hostileMarkup}
# chaos:
| x | y |
|---|---|
END
`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
/** All that a run draws with: cursor, erasing below, and the colours of our own styles. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const ours = /\u001b\[(?:\?25[lh]|\d+A\r\u001b\[0J|(?:0|1|2|22|31|32|33|35|39)m)|\r(?=\n)/g;

/** Every place where a terminal would do something other than show a character; what our own live view sends is passed over. */
export function steeringIn(text: string): string[] {
  const others = text.replace(ours, '');
  return [...others.matchAll(steering)].map(({ index }) => JSON.stringify(others.slice(Math.max(0, index - 30), index + 20)));
}

/** Lines of tables that have not as many cells as the head above them. */
export function brokenRows(markdown: string): string[] {
  const broken: string[] = [];
  let cells = 0;
  let fence: string | undefined;
  for (const line of markdown.split('\n')) {
    const mark = /^`{3,}/.exec(line)?.[0];
    if (mark !== undefined && (fence === undefined || mark === fence)) fence = fence === undefined ? mark : undefined;
    if (fence !== undefined || !line.startsWith('|')) {
      cells = 0;
      continue;
    }
    const count = [...line.matchAll(/(?<!\\)(?:\\\\)*\|/g)].length;
    if (cells !== 0 && count !== cells) broken.push(line);
    cells = count;
  }
  return broken;
}
