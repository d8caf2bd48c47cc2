/** The PostgreSQL processes of a lab, for tests that hurt them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabInfo } from '../../src/lab/lab.ts';

export function postmasterPid(lab: LabInfo, node: string): number {
  return Number(readFileSync(join(lab.dir, 'hosts', node, 'data', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

/** A process and its children. */
export function processTree(parent: number): number[] {
  const children = readdirSync('/proc').filter((name) => {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
    } catch {
      return false;
    }
  });
  return [parent, ...children.map(Number)];
}

/** The child of a server by the title PostgreSQL gives it; 0, which nothing may be sent to, when there is none. */
export function serverChild(parent: number, title: string): number {
  const found = processTree(parent).find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(title);
    } catch {
      return false;
    }
  });
  return found ?? 0;
}
