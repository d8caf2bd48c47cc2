/** `tc` on a lab host: `node tc.js tc FOLDER ARG…`, where FOLDER is where the host keeps its qdiscs. */

import { networkFiles } from './host-network.ts';
import { readCounts, readQdiscs, writeQdiscs } from './qdisc.ts';
import { runTc } from './tc-command.ts';
import { TcRefusal } from './tc-words.ts';

const [, , , folder = '', ...args] = process.argv;
const files = networkFiles(folder);
try {
  const { stdout, next } = runTc(args, readQdiscs(files.qdiscs), readCounts(files.counts));
  if (next !== undefined) writeQdiscs(files.qdiscs, next);
  process.stdout.write(stdout);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof TcRefusal ? error.exitCode : 1;
}
