/** `chaos status`: the runs known here, unfinished ones first. */
import { join } from 'node:path';
import { describeError } from '../core/errors.ts';
import { foldRun } from '../journal/fold.ts';
import { oneLine } from '../journal/fold-words.ts';
import { readRun, runFolders, runnerAlive, type StoredRun } from '../journal/runs.ts';
import { type ProjectOptions, reportsFolder } from './project.ts';
import type { Terminal } from './terminal.ts';
import { machine } from './wire.ts';

interface Row {
  readonly run: string;
  readonly started: string;
  readonly experiment: string;
  readonly environment: string;
  readonly state: string;
  readonly finished: boolean;
  readonly folder: string;
}

export async function statusCommand({
  terminal,
  options,
}: {
  readonly terminal: Terminal;
  readonly options: ProjectOptions & { readonly json?: boolean };
}): Promise<number> {
  const reports = reportsFolder(options);
  const rows: Row[] = [];
  for (const name of await runFolders(reports)) {
    try {
      const run = await readRun(join(reports, name));
      if (run !== undefined) rows.push(row(run));
    } catch (error) {
      terminal.err(`${name}: ${describeError(error)}`);
    }
  }
  rows.sort((a, b) => Number(a.finished) - Number(b.finished) || (a.started < b.started ? 1 : -1));
  if (options.json === true) terminal.json({ version: 1, runs: rows });
  else if (rows.length === 0) terminal.err(`no runs in ${reports}`);
  else
    for (const { run, started, experiment, environment, state } of rows)
      terminal.out([run, `${started.slice(0, 19)}Z`, experiment, environment, state].map(oneLine).join('  '));
  return 0;
}

function row(run: StoredRun): Row {
  const { plan } = run.started;
  return {
    run: run.id,
    started: run.started.at,
    experiment: plan.experiment.name,
    environment: plan.environment.name,
    state: describe(run),
    finished: run.finished !== undefined,
    folder: run.folder,
  };
}

function describe(run: StoredRun): string {
  if (run.finished === undefined)
    return runnerAlive(run, machine) ? 'running' : `NOT FINISHED, its runner is gone: chaos recover ${run.id}`;
  const { judgement } = foldRun(run.events);
  if (judgement === undefined) return `exit ${run.finished.exitCode}`;
  const undo = judgement.rollback === 'clean' ? '' : `: chaos recover ${run.id}`;
  return `${judgement.outcome}, ${judgement.verdict}, rollback ${judgement.rollback} (exit ${run.finished.exitCode})${undo}`;
}
