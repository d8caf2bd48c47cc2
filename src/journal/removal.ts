/** How long it took to undo an experiment's faults in the runs before: what a guard may count on. */
import { join } from 'node:path';
import { foldRun } from './fold.ts';
import { injectedFaults } from './fold-facts.ts';
import type { RunState } from './fold-state.ts';
import { readRun, runFolders } from './runs.ts';

const mostRuns = 5;

/** The longest of the last five runs that undid everything, ms; `undefined` without one. What cannot be read has shown nothing. */
export async function longestRemoval(reports: string, experiment: string, environmentFile: string): Promise<number | undefined> {
  // Folders are named `<date>-<experiment>-<id>`.
  const folders = (await runFolders(reports)).filter((name) => name.slice('2026-01-01-'.length, -'-abcdef'.length) === experiment);
  const times: number[] = [];
  for (const folder of folders) {
    if (times.length === mostRuns) break;
    const run = await readRun(join(reports, folder)).catch(() => undefined);
    if (run?.started.plan.environment.file !== environmentFile) continue;
    const ms = removalMs(foldRun(run.events));
    if (ms !== undefined) times.push(ms);
  }
  return times.length === 0 ? undefined : Math.max(...times);
}

/** One after the other, as a rollback does it; absent where nothing was injected or a fault was not proved gone. */
export function removalMs(state: RunState): number | undefined {
  const faults = injectedFaults(state);
  if (faults.length === 0 || faults.some((fault) => fault.clean !== true)) return undefined;
  return faults.reduce((sum, { reverting, reverted }) => sum + Math.max(0, (reverted?.t ?? 0) - (reverting?.t ?? reverted?.t ?? 0)), 0);
}
