/**
 * System V shared memory of PostgreSQL servers. A killed postmaster leaves its segment behind, and once its data folder is gone nothing would
 * ever find it again; so the keeper notes each segment it sees, and taking the lab down removes those that nobody is attached to.
 */
import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { databaseHosts, labPaths } from './layout.ts';
import { readPostmaster } from './processes.ts';

interface Noted {
  readonly segment: number;
  /** The postmaster that made it. */
  readonly pid: number;
}

/** Notes the segments of all servers that run in the lab now. Cheap: called twice a second. */
export function noteSegments(dir: string): void {
  const known = readNoted(dir);
  for (const dataDir of dataFolders(dir)) {
    const server = readPostmaster(dataDir);
    if (server?.segment === undefined) continue;
    if (known.some((one) => one.segment === server.segment && one.pid === server.pid)) continue;
    appendFileSync(labPaths(dir).segments, `${server.segment} ${server.pid}\n`, { mode: 0o600 });
  }
}

export function readNoted(dir: string): Noted[] {
  try {
    return readFileSync(labPaths(dir).segments, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [segment, pid] = line.split(' ').map(Number);
        return { segment: segment ?? -1, pid: pid ?? -1 };
      });
  } catch {
    return [];
  }
}

/** Every folder of a database host that holds a server's pid file: also the copies a rejoin makes beside the first one. */
export function dataFolders(dir: string): string[] {
  return databaseHosts.flatMap((host) => {
    const home = labPaths(dir).home(host);
    return listFolders(home).map((name) => join(home, name));
  });
}

function listFolders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** Removes the noted segments that still exist and have no attachment; gives the ids that were removed. */
export function removeSegments(noted: readonly Noted[]): number[] {
  return existingSegments()
    .filter((segment) => segment.attached === 0 && noted.some((one) => one.segment === segment.id && isMaker(one, segment)))
    .map((segment) => segment.id)
    .filter(removeSegment);
}

/** Segment ids are used again: where the system tells who made one, it must be the server that was noted. */
function isMaker(noted: Noted, segment: Segment): boolean {
  return segment.maker === undefined || segment.maker === noted.pid;
}

interface Segment {
  readonly id: number;
  readonly attached: number;
  readonly maker: number | undefined;
}

function existingSegments(): Segment[] {
  const table = process.platform === 'linux' ? readTable() : askIpcs();
  const [head = [], ...rows] = table.split('\n').map((line) => line.trim().toLowerCase().split(/\s+/));
  const column = (names: readonly string[]): number => head.findIndex((name) => names.includes(name));
  const [id, attached, maker] = [column(['shmid', 'id']), column(['nattch']), column(['cpid'])];
  return rows.flatMap((row) => {
    const segment = { id: Number(row[id]), attached: Number(row[attached]), maker: maker < 0 ? undefined : Number(row[maker]) };
    return Number.isInteger(segment.id) && Number.isInteger(segment.attached) ? [segment] : [];
  });
}

function readTable(): string {
  try {
    return readFileSync('/proc/sysvipc/shm', 'utf8');
  } catch {
    return '';
  }
}

function askIpcs(): string {
  try {
    const text = execFileSync('ipcs', ['-m', '-o', '-p'], { encoding: 'utf8' });
    return text.slice(Math.max(0, text.search(/^T\s/m)));
  } catch {
    return '';
  }
}

function removeSegment(id: number): boolean {
  try {
    execFileSync('ipcrm', ['-m', String(id)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
