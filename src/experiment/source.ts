/** A YAML text that was read, with the way back from a path in the data to its place in the text. */
import { type Document, isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type Pair } from 'yaml';
import type { Diagnostic } from '../core/diagnostics.ts';
import { cleanText } from '../core/text.ts';

export type Path = readonly PropertyKey[];

/** What is wrong, without its place. */
export interface Mistake {
  readonly code: string;
  readonly summary: string;
  readonly detail?: string | undefined;
  readonly severity?: 'error' | 'warning';
}

/** A mistake at a path of the data. `key` underlines the key instead of its value. */
export interface PlacedMistake extends Mistake {
  readonly path: Path;
  readonly key?: boolean;
}

/** Offsets in the text, end exclusive. */
interface Span {
  readonly start: number;
  readonly end: number;
}

export class Source {
  /** As people know it. */
  readonly file: string;
  readonly #text: string;
  readonly #document: Document;
  readonly #lines: LineCounter;

  constructor(file: string, text: string, document: Document, lines: LineCounter) {
    this.file = file;
    this.#text = text;
    this.#document = document;
    this.#lines = lines;
  }

  /** Does the text say anything at `path`? */
  has(path: Path): boolean {
    return this.#walk(path).complete;
  }

  /** A diagnostic at `mistake.path`; where the text has nothing there, at the nearest place above that it does have. */
  diagnostic(mistake: PlacedMistake): Diagnostic {
    const found = this.#walk(mistake.path);
    // A map or list that begins below its key is shown by its key.
    const below = found.key !== undefined && this.#lineOf(found.value) > this.#lineOf(found.key);
    const keyWanted = mistake.key === true || !found.complete || below;
    return this.diagnosticAt(keyWanted ? (found.key ?? found.value) : found.value, mistake);
  }

  diagnosticAt(span: Span, mistake: Mistake): Diagnostic {
    const { line, col } = this.#lines.linePos(span.start);
    // An empty file has no lines at all.
    const start = this.#lines.lineStarts[line - 1] ?? 0;
    const end = this.#text.indexOf('\n', start);
    const text = this.#text.slice(start, end === -1 ? undefined : end).replace(/\r$/, '');
    const before = text.slice(0, Math.max(0, col - 1));
    const marked = text.slice(before.length, before.length + Math.max(1, span.end - span.start)).trimEnd();
    return {
      severity: mistake.severity ?? 'error',
      code: mistake.code,
      summary: cleanText(mistake.summary),
      ...(mistake.detail ? { detail: cleanText(mistake.detail) } : {}),
      file: this.file,
      line: Math.max(1, line),
      column: [...before].length + 1,
      snippet: { text: hidePasswords(text), length: Math.max(1, [...marked].length) },
    };
  }

  #lineOf(span: Span): number {
    return this.#lines.linePos(span.start).line;
  }

  #walk(path: Path): { value: Span; key?: Span; complete: boolean } {
    let node: unknown = this.#document.contents;
    let value = spanOf(node) ?? { start: 0, end: 1 };
    // A whole map has no useful extent: its first key stands for it.
    let key: Span | undefined = isMap(node) ? spanOf(node.items[0]?.key) : undefined;
    for (const segment of path) {
      if (isAlias(node)) node = node.resolve(this.#document);
      if (isMap(node)) {
        const pair = pairOf(node.items, segment);
        if (pair === undefined) return { value, ...(key && { key }), complete: false };
        key = spanOf(pair.key);
        node = pair.value;
        // `key:` with nothing behind it: the empty value's place is after the colon, which shows nobody anything.
        value = isEmpty(node) ? (key ?? value) : (spanOf(node) ?? key ?? value);
      } else if (isSeq(node)) {
        const item: unknown = typeof segment === 'number' ? node.items[segment] : undefined;
        if (item === undefined) return { value, ...(key && { key }), complete: false };
        node = item;
        value = spanOf(node) ?? value;
        key = isMap(node) ? spanOf(node.items[0]?.key) : value;
      } else {
        return { value, ...(key && { key }), complete: false };
      }
    }
    return { value, ...(key && { key }), complete: true };
  }
}

function pairOf(items: readonly Pair[], key: PropertyKey): Pair | undefined {
  return items.find((pair) => String(isScalar(pair.key) ? pair.key.value : pair.key) === String(key));
}

function spanOf(node: unknown): Span | undefined {
  const range = (node as Node | null | undefined)?.range;
  return range ? { start: range[0], end: range[1] } : undefined;
}

function isEmpty(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null && node.source === '');
}

/** A password that stands in the file by mistake must not be repeated on a terminal or in a build log. */
function hidePasswords(line: string): string {
  return line.replace(/(password["']?\s*:\s*)("[^"]*"|'[^']*'|[^\s,}]+)/gi, (all, label: string, value: string) =>
    /^["']?\$\{/.test(value) ? all : `${label}${'*'.repeat(value.length)}`,
  );
}
