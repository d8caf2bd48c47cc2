/** `chaos report`: the report again, from the journal alone. */
import { foldRun } from '../journal/fold.ts';
import { findRun } from '../journal/runs.ts';
import { type ProjectOptions, reportsFolder } from './project.ts';
import type { Terminal } from './terminal.ts';
import { writeReport } from './write-report.ts';

export async function reportCommand(
  wanted: string,
  { terminal, options }: { readonly terminal: Terminal; readonly options: ProjectOptions & { readonly json?: boolean } },
): Promise<number> {
  const run = await findRun(reportsFolder(options), wanted);
  const path = await writeReport(run.folder, foldRun(run.events));
  if (options.json === true) terminal.json({ version: 1, run: run.id, report: path });
  else terminal.out(path);
  if (run.finished === undefined) terminal.err(`run ${run.id} is not finished; chaos recover ${run.id} finishes it if its runner is gone`);
  return 0;
}
