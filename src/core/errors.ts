/** The one error class of the project: facts are fields, the sentence is built in one place. */
import type { ErrorCode } from './error-codes.ts';
import { cleanText } from './text.ts';

export interface ErrorFacts {
  /** What is affected: a host, a file, a probe. */
  readonly target?: string;
  /** What to do now, as a command or one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
}

export class ChaosError extends Error {
  override readonly name = 'ChaosError';
  readonly code: ErrorCode;
  readonly target: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, summary: string, facts: ErrorFacts = {}) {
    super(cleanText(summary), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.target = facts.target;
    this.hint = facts.hint === undefined ? undefined : cleanText(facts.hint);
  }
}

/** One line for people: the message of `error` and of its causes, without repeats and without stacks. Never throws: the code that undoes relies on it. */
export function describeError(error: unknown): string {
  return describe(error, []);
}

function describe(error: unknown, seen: readonly unknown[]): string {
  if (seen.includes(error)) return '';
  const parts = (inner: unknown): string => describe(inner, [...seen, error]);
  if (error instanceof AggregateError) {
    const own = cleanText(String(error.message));
    return [own, ...error.errors.map(parts).filter((part) => !own.includes(part))].filter((part) => part !== '').join('; ');
  }
  if (!(error instanceof Error)) return thrownValue(error);
  // Node's connection errors over several addresses carry an empty message and a code.
  const own = cleanText(String(error.message || (error as NodeJS.ErrnoException).code || error.name));
  const cause = error.cause === undefined ? '' : parts(error.cause);
  return own.includes(cause) ? own : `${own}: ${cause}`;
}

/** Anything can be thrown, also what has no text. */
function thrownValue(value: unknown): string {
  try {
    return cleanText(String(value));
  } catch {
    return 'an error without a description';
  }
}
