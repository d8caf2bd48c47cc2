/**
 * What labs and runs could leave on the machine, found without their own code and without mistaking other people's labs for it.
 * Linux only: read from /proc.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface MachineFootprint {
  /** Processes that work inside the folder or were told of it. */
  readonly processes: readonly string[];
  /** Unix sockets in it. */
  readonly sockets: readonly string[];
  readonly folders: readonly string[];
}

/** `folder`: where the labs in question live. */
export function machineFootprint(folder: string): MachineFootprint {
  return {
    processes: processesIn(folder).map(({ pid, command }) => `${pid} ${command}`),
    sockets: table('/proc/net/unix').flatMap((fields) => fields.filter((field) => field.startsWith(folder))),
    folders: readdirSync(folder).sort(),
  };
}

/** The shared memory that processes of `folder` have mapped now: files of /dev/shm by path, System V segments by id. */
export function sharedMemoryIn(folder: string): string[] {
  const maps = processesIn(folder).flatMap(({ pid }) => table(`/proc/${pid}/maps`));
  return maps.flatMap(([, , , , inode = '', path = '']) =>
    path.startsWith('/SYSV') ? [`segment ${inode}`] : path.startsWith('/dev/shm/') ? [path] : [],
  );
}

/** Which of what {@link sharedMemoryIn} named still exists. */
export function remainingMemory(names: Iterable<string>): string[] {
  const segments = table('/proc/sysvipc/shm').map(([, id]) => `segment ${id}`);
  return [...names].filter((name) => (name.startsWith('/') ? existsSync(name) : segments.includes(name)));
}

/** Lines as fields; nothing for a process that has just ended. */
function table(file: string): string[][] {
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => line.trim().split(/\s+/));
  } catch {
    return [];
  }
}

function processesIn(folder: string): { readonly pid: string; readonly command: string }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const known = [command, readlinkSync(`/proc/${pid}/cwd`), readFileSync(`/proc/${pid}/environ`, 'utf8')];
      return known.some((text) => text.includes(folder)) ? [{ pid, command }] : [];
    } catch {
      return [];
    }
  });
}
