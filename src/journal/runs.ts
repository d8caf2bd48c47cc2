/** The run folders of a project: `reports/<UTC date>-<experiment>-<id>/`, each with its journal. */
import { existsSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { ChaosError } from '../core/errors.ts';
import type { RunId } from '../core/ids.ts';
import { nearest } from '../core/text.ts';
import type { EventOf, JournalEvent } from './events.ts';
import { journalPath, readJournal } from './reader.ts';

export interface StoredRun {
  readonly id: string;
  readonly folder: string;
  readonly events: readonly JournalEvent[];
  readonly started: EventOf<'run.started'>;
  readonly finished: EventOf<'run.finished'> | undefined;
}

const folderPattern = /^\d{4}-\d{2}-\d{2}-[a-z0-9-]+-([a-z2-7]{6})$/;

export function runFolder(reports: string, experiment: string, id: RunId, wall: number): string {
  return join(reports, `${new Date(wall).toISOString().slice(0, 10)}-${experiment}-${id}`);
}

/** Folder names of runs in `reports`, newest first; empty when the folder does not exist. Rejects with `CHAOS_JOURNAL` when it cannot be read. */
export async function runFolders(reports: string): Promise<string[]> {
  const names = await readdir(reports).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw new ChaosError('CHAOS_JOURNAL', 'the reports folder cannot be read', { target: reports, cause });
  });
  return names.filter((name) => folderPattern.test(name)).toSorted((a, b) => (a < b ? 1 : -1));
}

/** Reads one run; `undefined` when its journal does not even hold the start: nothing was done then. */
export async function readRun(folder: string): Promise<StoredRun | undefined> {
  const { events } = await readJournal(folder);
  const started = events.find((event): event is EventOf<'run.started'> => event.type === 'run.started');
  if (started === undefined) return undefined;
  const finished = events.findLast((event): event is EventOf<'run.finished'> => event.type === 'run.finished');
  return { id: started.run, folder, events, started, finished };
}

/** Finds a run by id, folder name or path. Rejects with `CHAOS_NOT_FOUND`, naming the nearest. */
export async function findRun(reports: string, wanted: string): Promise<StoredRun> {
  const names = await runFolders(reports);
  const name = names.find((candidate) => candidate === basename(wanted) || folderPattern.exec(candidate)?.[1] === wanted);
  const run = await readRun(name === undefined ? resolve(wanted) : join(reports, name)).catch((error: unknown) => {
    if (name !== undefined) throw error;
    return undefined;
  });
  if (run !== undefined) return run;
  const ids = names.flatMap((candidate) => folderPattern.exec(candidate)?.[1] ?? []);
  const near = nearest(wanted, ids);
  throw new ChaosError('CHAOS_NOT_FOUND', `no run ${wanted} in ${reports}`, {
    hint: near === undefined ? 'chaos status lists the runs' : `did you mean ${near}?`,
  });
}

export interface OpenRuns {
  /** Newest first. */
  readonly runs: readonly StoredRun[];
  /** Folder names of runs whose journal cannot be read: what they left is unknown. */
  readonly unreadable: readonly string[];
}

/** Runs that may have left something in effect: without an end, or ended with a rollback that was not proved (exit code 6). */
export async function openRuns(reports: string): Promise<OpenRuns> {
  const runs: StoredRun[] = [];
  const unreadable: string[] = [];
  for (const name of await runFolders(reports)) {
    const folder = join(reports, name);
    if (!existsSync(journalPath(folder)) || (await endsWell(folder))) continue;
    try {
      const run = await readRun(folder);
      if (run !== undefined && (run.finished === undefined || run.finished.exitCode === 6)) runs.push(run);
    } catch {
      unreadable.push(name);
    }
  }
  return { runs, unreadable };
}

/** A finished run's journal ends with that event: the tail tells, so that years of runs need not be read. */
async function endsWell(folder: string): Promise<boolean> {
  try {
    await using file = await open(journalPath(folder), 'r');
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(512), position: Math.max(0, size - 512) });
    const last = buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').at(-1) ?? '';
    return last.includes('"type":"run.finished"') && !last.includes('"exitCode":6');
  } catch {
    return false;
  }
}

/** Is the process that wrote this run still there? Only the machine it ran on can say; for another one it counts as alive. */
export function runnerAlive(run: StoredRun, machine: string): boolean {
  if (run.started.machine !== machine) return true;
  const recovering = run.events.findLast((event): event is EventOf<'recover.started'> => event.type === 'recover.started');
  const pid = recovering?.pid ?? run.started.pid;
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
