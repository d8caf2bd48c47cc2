#!/usr/bin/env node
// Reads argv, sets the exit code; nothing else in the project does. Should `main` never settle, that is a failure.
import { main } from './cli/main.ts';

process.exitCode = 1;
// A reader that goes away, as `head` does, or a full disk under a log must not end a run that has something to undo.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
// `main` never rejects. No top-level await: what is shipped is CommonJS, see cli/DECISIONS.md.
void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
