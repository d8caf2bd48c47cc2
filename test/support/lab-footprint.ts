/** What a lab has on the machine, found without the lab's own code: so that a test can say that nothing of it is left. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

export interface Footprint {
  readonly processes: readonly string[];
  readonly listening: readonly number[];
  readonly segments: readonly number[];
  readonly folder: boolean;
}

export const nothing: Footprint = { processes: [], listening: [], segments: [], folder: false };

/** Ports and shared memory of a lab, to be looked for again when its folder is gone. */
export interface Traces {
  readonly id: string;
  readonly dir: string;
  readonly basePort: number;
  readonly segments: readonly number[];
}

export function tracesOf(lab: {
  readonly id: string;
  readonly dir: string;
  readonly hosts: readonly { readonly sshPort: number }[];
}): Traces {
  const noted = readFileSync(join(lab.dir, 'shared-memory'), 'utf8').trim().split('\n');
  const basePort = Math.min(...lab.hosts.map((host) => host.sshPort));
  return { id: lab.id, dir: lab.dir, basePort, segments: noted.map((line) => Number(line.split(' ')[0])) };
}

export function footprint(traces: Traces): Footprint {
  return { processes: processes(traces), listening: listening(traces), segments: segments(traces), folder: existsSync(traces.dir) };
}

function processes({ id, dir }: Traces): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const marked = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`CHAOS_LAB=${id}`);
        const inside = readlinkSync(`/proc/${pid}/cwd`).startsWith(dir);
        return marked || inside ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`] : [];
      } catch {
        return [];
      }
    });
}

function listening({ basePort }: Traces): number[] {
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      const port = Number.parseInt(local.split(':')[1] ?? '', 16);
      return state === '0A' && port >= basePort && port < basePort + 16 ? [port] : [];
    });
}

function segments(traces: Traces): number[] {
  const existing = readFileSync('/proc/sysvipc/shm', 'utf8')
    .split('\n')
    .slice(1)
    .map((line) => Number(line.trim().split(/\s+/)[1]));
  return traces.segments.filter((segment) => existing.includes(segment));
}
