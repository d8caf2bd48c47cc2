/** Which processes belong to a lab, and whether one is still the one we knew. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from './record.ts';

const linux = process.platform === 'linux';

/** Every process of a lab carries its id in this variable of its environment. */
export const labVariable = 'CHAOS_LAB';

/** When `pid` was started, in the system's own words; `undefined` when it is gone or a zombie. */
function startOf(pid: number): string | undefined {
  if (linux) {
    const stat = readText(`/proc/${pid}/stat`);
    // The name, field 2, may hold blanks and brackets: count from its closing one. proc(5): state is field 3, starttime field 22.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields === undefined || fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  }
  try {
    const [state = '', ...start] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' })
      .trim()
      .split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}

/** Remembers a running process; for one that is gone already the identity is never alive. */
export function identify(pid: number): ProcessIdentity {
  return { pid, start: startOf(pid) ?? 'gone' };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return startOf(identity.pid) === identity.start;
}

/**
 * Sends `signal`; that the process is gone already is fine. A negative `pid` is a process group. Throws `RangeError` for 0, 1, -1 and what is
 * no number: kill(2) takes -1 for "every process there is" and 0 for one's own group.
 */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  if (!Number.isSafeInteger(pid) || Math.abs(pid) < 2) throw new RangeError(`refusing to signal process ${pid}`);
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export interface LabProcess {
  readonly pid: number;
  /** A PostgreSQL server process (the postmaster or one of its children). */
  readonly postgres: boolean;
}

/**
 * The living processes of lab `id`, this one left out: those that carry its id in their environment, and PostgreSQL server processes whose
 * working folder is in the lab (they overwrite their environment with their title). A person's shell that merely stands in the folder is none.
 */
export function labProcesses(id: string, dir: string): LabProcess[] {
  const found = linux ? fromProc(id, dir) : fromPs(id, dir);
  return found.filter((candidate) => candidate.pid !== process.pid);
}

function fromProc(id: string, dir: string): LabProcess[] {
  const found: LabProcess[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const pid = Number(name);
    const postgres = /\/postgres( \(deleted\))?$/.test(readLink(`/proc/${name}/exe`) ?? '');
    const inside = postgres && (readLink(`/proc/${name}/cwd`) ?? '').startsWith(`${dir}/`);
    const marked = `\0${readText(`/proc/${name}/environ`) ?? ''}`.includes(`\0${labVariable}=${id}\0`);
    if ((inside || marked) && startOf(pid) !== undefined) found.push({ pid, postgres });
  }
  return found;
}

function fromPs(id: string, dir: string): LabProcess[] {
  // -E appends the environment of one's own processes on macOS.
  const table = execFileSync('ps', ['-axwwE', '-o', 'pid=,command='], { encoding: 'utf8', maxBuffer: 64 << 20 });
  return table.split('\n').flatMap((line) => {
    const [, pid, command = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    const postgres = /^\S*postgres\b/.test(command);
    const ours = ` ${command} `.includes(` ${labVariable}=${id} `) || (postgres && command.includes(`-D ${dir}/`));
    return ours ? [{ pid: Number(pid), postgres }] : [];
  });
}

/** The postmaster a data folder belongs to, as its pid file tells; lines by number are documented in PostgreSQL's miscadmin.h. */
export function readPostmaster(dataDir: string): { readonly pid: number; readonly segment?: number } | undefined {
  const lines = readText(join(dataDir, 'postmaster.pid'))?.split('\n');
  const pid = Number(lines?.[0]);
  if (lines === undefined || !Number.isInteger(pid) || pid < 2) return undefined;
  // Line 7: key and id of the System V shared memory segment.
  const segment = Number(lines[6]?.trim().split(/\s+/)[1]);
  return Number.isInteger(segment) && lines[6] ? { pid, segment } : { pid };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
