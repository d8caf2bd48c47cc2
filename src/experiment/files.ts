/** Files that people write, read as text: present, UTF-8, not a folder, not huge. */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Parsed } from '../core/diagnostics.ts';
import { ChaosError } from '../core/errors.ts';

const maxBytes = 1_048_576;

/** Text of a file with the bytes it was decoded from. */
export interface SourceText {
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** Throws `CHAOS_NOT_FOUND` when there is no such file, `CHAOS_FILE` when it cannot be read. */
export function readSourceFile(file: string): Parsed<SourceText> {
  const wrong = (summary: string): Parsed<SourceText> => ({
    ok: false,
    diagnostics: [{ severity: 'error', code: 'bad-file', summary, file: displayPath(file), line: 1, column: 1 }],
  });
  let bytes: Buffer;
  try {
    const stat = statSync(file);
    // A pipe or a device would never end.
    if (!stat.isFile()) return wrong('this is not a regular file');
    if (stat.size > maxBytes) return wrong(`the file is larger than ${maxBytes / 1_048_576} MiB`);
    bytes = readFileSync(file);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
    throw new ChaosError(
      missing ? 'CHAOS_NOT_FOUND' : 'CHAOS_FILE',
      `${displayPath(file)} ${missing ? 'does not exist' : 'cannot be read'}`,
      { cause: error },
    );
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { ok: true, value: { text, bytes }, warnings: [] };
  } catch {
    return wrong('the file is not UTF-8 text');
  }
}

/** Relative to the working folder where that is shorter to read. */
export function displayPath(file: string): string {
  const relative = path.relative(process.cwd(), path.resolve(file));
  return relative === '' || relative.startsWith('..') ? path.resolve(file) : relative;
}
