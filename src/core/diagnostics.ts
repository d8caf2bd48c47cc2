/** Mistakes in files people write: a list, never a throw, each with its place and the way to mend it. */
export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Stable, kebab-case: `unknown-key`, `bad-duration`. */
  readonly code: string;
  /** One sentence: what is wrong, with expected and got. */
  readonly summary: string;
  /** The fix: `did you mean "latency"?`, the list of valid names, an example. */
  readonly detail?: string;
  /** Path as people know it: relative to the working folder where possible. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in characters. */
  readonly column: number;
  /** The source line and how many characters of it to underline. */
  readonly snippet?: { readonly text: string; readonly length: number };
}

/** A value, or everything that is wrong with it. */
export type Parsed<T> =
  | { readonly ok: true; readonly value: T; readonly warnings: readonly Diagnostic[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };
