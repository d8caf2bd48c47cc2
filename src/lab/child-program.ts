/**
 * What every program of the lab does at its start: read its settings (with the passwords, so not from arguments) as one line from standard
 * input, and end as soon as that input ends: the keeper holds the other side, also when it is killed.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type * as z from 'zod';
import { describeError } from '../core/errors.ts';

/** Runs `main` with the settings; a failure is told on stderr, which is the service's log, and ends with 1. */
export function runChildProgram<T>(schema: z.ZodType<T>, main: (settings: T) => Promise<void>): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('close', () => process.exit(0));
  lines.once('line', (line) => {
    Promise.resolve()
      .then(() => main(schema.parse(JSON.parse(line))))
      .catch((error: unknown) => {
        process.stderr.write(`${new Date().toISOString()} ${describeError(error)}\n`);
        process.exit(1);
      });
  });
}

/** Writes this process's number in one step, so that nobody ever reads half of it. */
export function writePidFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, `${process.pid}\n`);
  renameSync(`${path}.new`, path);
}
