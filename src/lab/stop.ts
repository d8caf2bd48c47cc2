/** Takes labs down, whatever state they are in; and clears away those whose keeper was killed. */
import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { poll, systemClock } from '../core/clock.ts';
import { ChaosError } from '../core/errors.ts';
import { findLab, labFolders } from './lab.ts';
import { labIdOf } from './layout.ts';
import { isAlive, labProcesses, signalProcess } from './processes.ts';
import { readRecord } from './record.ts';
import { takeDown } from './take-down.ts';

export interface StopReport {
  readonly id: string;
  /** `stopped`: it took the lab down itself; `killed`: it did not answer; `gone`: it had been killed before. */
  readonly keeper: 'stopped' | 'killed' | 'gone';
  /** How many processes the lab had. */
  readonly processes: number;
  /** System V shared memory segments that only we could remove. */
  readonly segments: readonly number[];
}

const keeperWithinMs = 20_000;
/** A folder without a record is being made, or its maker died in that moment. */
const unfinishedMs = 60_000;

/** Resolves when nothing of the lab is left: no process, no folder, no shared memory. Rejects with `CHAOS_LAB`. */
export async function stopLab(id: string, signal: AbortSignal): Promise<StopReport> {
  const { dir } = await findLab(id);
  const processes = labProcesses(id, dir).length;
  const keeper = await stopKeeper(dir, signal);
  const { segments } = await takeDown(id, dir);
  const left = labProcesses(id, dir);
  if (existsSync(dir) || left.length > 0) {
    const pids = left.map((one) => one.pid).join(', ') || 'none';
    throw new ChaosError('CHAOS_LAB', `lab ${id} is not all gone; processes: ${pids}; folder: ${existsSync(dir) ? dir : 'removed'}`, {
      target: id,
      hint: 'try again; else end those processes and remove the folder yourself',
    });
  }
  return { id, keeper, processes, segments };
}

async function stopKeeper(dir: string, signal: AbortSignal): Promise<StopReport['keeper']> {
  const keeper = readRecord(dir)?.keeper;
  if (keeper === undefined || !isAlive(keeper)) return 'gone';
  signalProcess(keeper.pid, 'SIGTERM');
  signalProcess(keeper.pid, 'SIGCONT');
  const ended = async (): Promise<true | undefined> => (isAlive(keeper) ? undefined : true);
  if ((await poll(systemClock, { interval: 25, within: keeperWithinMs }, ended, signal)) === true) return 'stopped';
  signalProcess(keeper.pid, 'SIGKILL');
  return 'killed';
}

/** Clears away the labs that nobody holds any more; one that resists is left for `stopLab`, which tells why. Gives their ids. */
export async function clearStaleLabs(): Promise<string[]> {
  const cleared: string[] = [];
  for (const dir of labFolders().filter(isStale)) {
    const id = labIdOf(basename(dir));
    if (id === undefined) continue;
    try {
      await takeDown(id, dir);
      cleared.push(id);
    } catch (error) {
      if (!(error instanceof ChaosError)) throw error;
    }
  }
  return cleared;
}

function isStale(dir: string): boolean {
  const record = readRecord(dir);
  if (record === undefined) return ageOf(dir) > unfinishedMs;
  if (record.keeper !== undefined && isAlive(record.keeper)) return false;
  // Until it is up, a lab is its starter's affair: that one wants to read why it failed.
  return record.state === 'up' || record.state === 'stopping' || !isAlive(record.starter);
}

function ageOf(dir: string): number {
  try {
    return Date.now() - statSync(dir).mtimeMs;
  } catch {
    return 0;
  }
}
