/**
 * YAML text to validated data. Every mistake is found in one pass and comes as a diagnostic with its line, column and the way to
 * mend it; nothing is thrown for what a file says. Knows no experiments, environments or files on disk.
 */
import { Composer, type Document, isAlias, isCollection, isNode, Lexer, LineCounter, Parser, visit, type YAMLError } from 'yaml';
import type * as z from 'zod';
import type { Diagnostic, Parsed } from '../core/diagnostics.ts';
import { explainIssue } from './explain.ts';
import { displayPath } from './files.ts';
import { mistakesOf } from './issues.ts';
import { type PlacedMistake, Source } from './source.ts';

/** Larger files are a mistake or an attack. */
const maxBytes = 1_048_576;
/** How often one anchor may be used, counted through nesting: a few lines of aliases can otherwise make gigabytes. */
const maxAliases = 100;
const maxDepth = 200;

/** Validated data and the text it came from. */
export interface Sourced<T> {
  readonly value: T;
  readonly source: Source;
}

/** Looks at the raw data beside the schema. */
export interface RawChecks {
  /** A mistake that makes all others pointless. */
  readonly first?: (data: unknown) => PlacedMistake | undefined;
  /** Rules that hold for every value; they win over the schema at the same place. */
  readonly raw?: (data: unknown) => readonly PlacedMistake[];
}

/** Parses `text` and validates it against `schema`. `file` is only shown. */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): Parsed<T> {
  const parsed = parseSourced(text, file, schema);
  return parsed.ok ? { ok: true, value: parsed.value.value, warnings: parsed.warnings } : parsed;
}

/** As {@link parseYaml}, keeping the source so that later checks can point into it. */
export function parseSourced<T>(
  text: string,
  file: string,
  schema: z.ZodType<T> | ((data: unknown) => z.ZodType<T>),
  checks: RawChecks = {},
): Parsed<Sourced<T>> {
  const read = readYaml(text, displayPath(file));
  if (!read.ok) return read;
  const { source, data } = read.value;

  const first = checks.first?.(data);
  if (first !== undefined) return failed(source.diagnostic(first));
  const raw = checks.raw?.(data) ?? [];
  // jitless: a file is checked once, and compiling the schema for that takes longer than checking without.
  const fitting = typeof schema === 'function' ? schema(data) : schema;
  const result = fitting.safeParse(data, { error: explainIssue, reportInput: true, jitless: true });
  if (result.success && raw.length === 0) return { ok: true, value: { value: result.data, source }, warnings: read.warnings };

  const judged = new Set(raw.map((mistake) => mistake.path.join('\0')));
  const issues = result.success ? [] : mistakesOf(result.error.issues, data).filter((mistake) => !judged.has(mistake.path.join('\0')));
  return { ok: false, diagnostics: inOrder([...read.warnings, ...[...raw, ...issues].map((mistake) => source.diagnostic(mistake))]) };
}

function readYaml(text: string, file: string): Parsed<{ source: Source; data: unknown }> {
  const lines = new LineCounter();
  if (text.length > maxBytes) return failed(shapeMistake(file, `the file is larger than ${maxBytes / 1_048_576} MiB`));
  let documents: Document[];
  try {
    documents = [...new Composer({ version: '1.2', merge: false, logLevel: 'error' }).compose(tokens(text, lines), true, text.length)];
  } catch (error) {
    if (error instanceof TooDeep) return failed(shapeMistake(file, `the file is nested more than ${maxDepth} levels deep`));
    throw error;
  }
  const [document, second] = documents;
  if (document === undefined) return failed(shapeMistake(file, 'the file is empty'));
  const source = new Source(file, text, document, lines);
  const warnings = document.warnings.map((warning) => syntaxDiagnostic(source, warning, text, 'warning'));
  const errors = document.errors.map((error) => syntaxDiagnostic(source, error, text, 'error'));
  const diagnostics = [
    ...errors,
    ...secondDocument(second, source),
    ...structureMistakes(document, source),
    ...versionMistakes(document, source),
  ];
  if (diagnostics.length > 0) return { ok: false, diagnostics: inOrder([...warnings, ...diagnostics]) };
  if (document.contents === null) return failed(shapeMistake(file, 'the file is empty'));
  try {
    return { ok: true, value: { source, data: document.toJS({ maxAliasCount: maxAliases }) }, warnings };
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const summary = `aliases are used more than ${maxAliases} times over`;
    return failed(source.diagnostic({ path: [], key: true, code: 'alias-bomb', summary }));
  }
}

class TooDeep extends Error {}

/** The library's own pipeline with a look at the depth: what builds the document is recursive, and overflowing it can end the process. */
function* tokens(text: string, lines: LineCounter) {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > maxDepth) throw new TooDeep();
  }
  yield* parser.end();
}

function secondDocument(second: Document | undefined, source: Source): Diagnostic[] {
  if (second === undefined) return [];
  const start = second.range?.[0] ?? 0;
  const mistake = { code: 'syntax', summary: 'a second document begins here (---)', detail: 'one file holds one document' };
  return [source.diagnosticAt({ start, end: start + 3 }, mistake)];
}

function failed(diagnostic: Diagnostic): { ok: false; diagnostics: readonly Diagnostic[] } {
  return { ok: false, diagnostics: [diagnostic] };
}

function shapeMistake(file: string, summary: string): Diagnostic {
  return { severity: 'error', code: 'bad-file', summary, file, line: 1, column: 1 };
}

function syntaxDiagnostic(source: Source, error: YAMLError, text: string, severity: 'error' | 'warning'): Diagnostic {
  const [start, end] = error.pos;
  const at = { start, end };
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^[^\s:,}]+/.exec(text.slice(start))?.[0] ?? '';
    const summary = `the key ${JSON.stringify(key)} stands here a second time`;
    return source.diagnosticAt(
      { start, end: start + key.length },
      { severity, code: 'duplicate-key', summary, detail: 'keep one of the two' },
    );
  }
  if (error.code === 'TAB_AS_INDENT') {
    return source.diagnosticAt(at, { severity, code: 'syntax', summary: 'a tab is used as indentation', detail: 'indent with spaces' });
  }
  return source.diagnosticAt(at, { severity, code: 'syntax', summary: `not valid YAML: ${lowerFirst(error.message)}` });
}

function lowerFirst(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.charAt(0).toLowerCase() + line.slice(1);
}

/** What the library leaves to `toJS`, which throws or warns without a place: unknown and endless aliases, keys that are not text. */
function structureMistakes(document: Document, source: Source): Diagnostic[] {
  const anchors = new Set<string>();
  const found: Diagnostic[] = [];
  visit(document, {
    Pair(_key, pair) {
      if (!isCollection(pair.key) && !isAlias(pair.key)) return;
      const [start, end] = pair.key.range ?? [0, 1];
      const detail = 'text that begins with { or [ needs quotes';
      found.push(source.diagnosticAt({ start, end }, { code: 'bad-key', summary: 'a key must be plain text', detail }));
    },
    Node(_key, node, ancestors) {
      if (isAlias(node)) {
        const [start, end] = node.range ?? [0, 1];
        // Endless data: everything that walks over it would overflow.
        if (ancestors.some((one) => isNode(one) && !isAlias(one) && one.anchor === node.source)) {
          found.push(
            source.diagnosticAt({ start, end }, { code: 'alias-bomb', summary: `*${node.source} stands inside what it stands for` }),
          );
        }
        if (anchors.has(node.source)) return;
        const detail = anchors.size === 0 ? 'no anchor is defined above it' : `anchors above it: ${[...anchors].join(', ')}`;
        found.push(source.diagnosticAt({ start, end }, { code: 'unknown-alias', summary: `unknown alias *${node.source}`, detail }));
      } else if ('anchor' in node && node.anchor !== undefined) {
        anchors.add(node.anchor);
      }
    },
  });
  return found;
}

/** In YAML 1.1 the key `on` is the boolean true, and `no` is false. */
function versionMistakes(document: Document, source: Source): Diagnostic[] {
  const yaml = document.directives?.yaml;
  if (yaml?.explicit !== true || yaml.version === '1.2') return [];
  const summary = `YAML ${yaml.version} is not supported`;
  return [source.diagnosticAt({ start: 0, end: 1 }, { code: 'syntax', summary, detail: 'remove the %YAML line; files are YAML 1.2' })];
}

/** By place, each said once: an alias used twice has its mistake in one place. */
function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const unique = new Map(diagnostics.map((one) => [`${one.line}:${one.column}:${one.summary}`, one]));
  return [...unique.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}
