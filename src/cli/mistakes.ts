/** Mistakes in files, on their way to the terminal: thrown by a command, rendered once in `main`, exit code 2. */
import type { Diagnostic, Parsed } from '../core/diagnostics.ts';

export class FileMistakes extends Error {
  override readonly name = 'FileMistakes';
  readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[]) {
    super(diagnostics.map((one) => `${one.file}:${one.line}:${one.column} ${one.summary}`).join('\n'));
    this.diagnostics = diagnostics;
  }
}

/** The value, or a throw of everything that is wrong with it. */
export function orThrow<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value;
  throw new FileMistakes(parsed.diagnostics);
}
