/**
 * A report is machine blocks, fenced by markers and renewed each time, and text of people between them, which is never touched.
 * Knows nothing of what stands in a block.
 */
export interface Block {
  readonly kind: 'block';
  /** Lower-case letters and dashes. */
  readonly name: string;
  readonly body: string;
}

/** What a new report says for people to write over. Used once; afterwards the file's own text counts. */
export interface Prose {
  readonly kind: 'prose';
  readonly text: string;
}

export type Part = Block | Prose;

const marker = /^<!-- chaos:(begin|end) ([a-z-]+) -->\s*$/;

export function block(name: string, body: string): Block {
  return { kind: 'block', name, body };
}

export function prose(text: string): Prose {
  return { kind: 'prose', text };
}

/** A first report. */
export function assemble(parts: readonly Part[]): string {
  return `${parts.map((part) => (part.kind === 'block' ? blockText(part) : part.text.trim())).join('\n\n')}\n`;
}

/** `previous` with its blocks renewed; blocks whose markers are gone are appended. Everything else stays as it is, byte for byte. */
export function renew(previous: string, parts: readonly Part[]): string {
  const blocks = new Map(parts.flatMap((part) => (part.kind === 'block' ? [[part.name, part] as const] : [])));
  const lines = previous.split('\n');
  const kept: string[] = [];
  const seen = new Set<string>();
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? '';
    const name = beginOf(line);
    const end = name === undefined ? undefined : endOf(lines, index, name);
    const fresh = name === undefined ? undefined : blocks.get(name);
    if (name === undefined || end === undefined || fresh === undefined) {
      kept.push(line);
      continue;
    }
    seen.add(name);
    kept.push(blockText(fresh));
    index = end;
  }
  const missing = [...blocks.values()].filter((candidate) => !seen.has(candidate.name)).map(blockText);
  const text = kept.join('\n');
  return missing.length === 0 ? text : `${text.replace(/\n*$/, '\n\n')}${missing.join('\n\n')}\n`;
}

/** The line of the marker that closes `name`; none when another marker comes first, because then a marker was deleted. */
function endOf(lines: readonly string[], begin: number, name: string): number | undefined {
  for (let index = begin + 1; index < lines.length; index++) {
    const match = marker.exec(lines[index] ?? '');
    if (match !== null) return match[1] === 'end' && match[2] === name ? index : undefined;
  }
  return undefined;
}

function beginOf(line: string): string | undefined {
  const match = marker.exec(line);
  return match?.[1] === 'begin' ? match[2] : undefined;
}

function blockText({ name, body }: Block): string {
  return `<!-- chaos:begin ${name} -->\n${body.trim()}\n<!-- chaos:end ${name} -->`;
}
