/**
 * Ends everything of a lab from what is on disk and in the process table alone: the keeper does it when it goes, and whoever finds a lab
 * whose keeper was killed does it from outside. May be done again at any time.
 */
import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { ChaosError } from '../core/errors.ts';
import { labIdOf, labsRoot } from './layout.ts';
import { type LabProcess, labProcesses, readPostmaster, signalProcess } from './processes.ts';
import { dataFolders, noteSegments, readNoted, removeSegments } from './shared-memory.ts';

export interface TakenDown {
  /** Processes that were found and ended. */
  readonly processes: number;
  /** System V shared memory segments that killed servers had left. */
  readonly segments: readonly number[];
}

const politeMs = 3_000;
const hardMs = 5_000;
const never = new AbortController().signal;

/** Rejects with `CHAOS_LAB` when a process survives even SIGKILL for 5 s; the folder then stays. */
export async function takeDown(id: string, dir: string): Promise<TakenDown> {
  if (dirname(dir) !== labsRoot() || labIdOf(basename(dir)) !== id) throw new ChaosError('CHAOS_LAB', `${dir} is not a lab folder`);
  noteSegments(dir);
  const noted = readNoted(dir);
  const processes = await endProcesses(id, dir);
  const segments = removeSegments(noted);
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  return { processes, segments };
}

async function endProcesses(id: string, dir: string): Promise<number> {
  const seen = new Set<number>();
  const living = (): LabProcess[] => {
    const found = labProcesses(id, dir);
    for (const one of found) seen.add(one.pid);
    return found;
  };
  await stopServers(dir, living);
  const deadline = systemClock.monotonic() + hardMs;
  // Again and again: what forks between the look and the kill is caught by the next look.
  for (let found = living(); found.length > 0; found = living()) {
    if (systemClock.monotonic() > deadline) {
      const pids = found.map((one) => one.pid).join(', ');
      throw new ChaosError('CHAOS_LAB', `processes of lab ${id} cannot be killed: ${pids}`, {
        hint: 'they may be waiting for a disk; try `chaos lab down` again, as the user who started the lab',
      });
    }
    for (const one of found) signalProcess(one.pid, 'SIGKILL');
    await systemClock.sleep(20, never);
  }
  return seen.size;
}

/** PostgreSQL's immediate shutdown (SIGQUIT, what `pg_ctl -m immediate` sends): it ends its children and gives its shared memory back itself. */
async function stopServers(dir: string, living: () => LabProcess[]): Promise<void> {
  const postmasters = new Set(dataFolders(dir).map((data) => readPostmaster(data)?.pid));
  // An experiment may have left one stopped; it would never get to the signal.
  for (const one of living()) if (one.postgres) signalProcess(one.pid, 'SIGCONT');
  const servers = (): LabProcess[] => living().filter((one) => postmasters.has(one.pid));
  for (const one of servers()) signalProcess(one.pid, 'SIGQUIT');
  const deadline = systemClock.monotonic() + politeMs;
  while (systemClock.monotonic() < deadline && servers().length > 0) await systemClock.sleep(20, never);
}
