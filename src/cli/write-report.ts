/** Writes the report of a run beside its journal; what people wrote into an earlier one is kept. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ChaosError, describeError } from '../core/errors.ts';
import type { RunState } from '../journal/fold.ts';
import { renderReport } from '../report/markdown.ts';
import type { Terminal } from './terminal.ts';

/** Gives the path of the report. Rejects with `CHAOS_JOURNAL` when it cannot be written; the journal holds everything it was made from. */
export async function writeReport(folder: string, state: RunState): Promise<string> {
  const path = join(folder, 'report.md');
  const previous = await earlier(path);
  const report = renderReport(state, previous);
  try {
    for (const { name, content } of report.files) await writeWhole(join(folder, name), content);
    await writeWhole(path, report.markdown);
  } catch (cause) {
    throw new ChaosError('CHAOS_JOURNAL', 'the report cannot be written', {
      target: path,
      hint: `chaos report ${state.run ?? folder} makes it again`,
      cause,
    });
  }
  return path;
}

/** For the end of a run: a report that cannot be written is told, and must not hide what the run came to. Its path, where there is one. */
export async function tryReport(folder: string, state: RunState, terminal: Terminal): Promise<{ readonly reportPath?: string }> {
  try {
    return { reportPath: await writeReport(folder, state) };
  } catch (error) {
    terminal.err(`chaos: ${describeError(error)}; chaos report ${state.run ?? folder} makes it again`);
    return {};
  }
}

/** The report that is there; one that cannot be read must not be overwritten: people may have written into it. */
async function earlier(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ChaosError('CHAOS_JOURNAL', 'the earlier report cannot be read, so it is not replaced', { target: path, cause });
  }
}

/** Never half a file: a reader sees the old one or the new one. */
async function writeWhole(path: string, content: string): Promise<void> {
  const draft = `${path}.draft`;
  await writeFile(draft, content);
  await rename(draft, path);
}
