/**
 * The embedded practice shop: a load balancer, two checkout services and a replicated PostgreSQL on five "hosts" of loopback, each reachable
 * over SSH. Here: which labs there are. Starting, stopping and asking are in files of those names. A lab lives in a process of its own, the
 * keeper, and in one folder; nothing here knows of runs, plans or the terminal.
 */
import { accessSync, constants, existsSync, lstatSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { ChaosError } from '../core/errors.ts';
import { nearest } from '../core/text.ts';
import { shopUrl } from './lab-files.ts';
import { hostGroup, labHosts, labIdOf, labPaths, labPorts, labsRoot, loginOf } from './layout.ts';
import { isAlive } from './processes.ts';
import { type LabRecord, readRecord } from './record.ts';

export interface LabInfo {
  /** Six hexadecimal digits. */
  readonly id: string;
  /** Everything the lab has on disk. */
  readonly dir: string;
  /** `dead`: its keeper was killed or failed; what is left of it goes with `stopLab` or with the next `startLab`. */
  readonly state: 'starting' | 'up' | 'stopping' | 'dead';
  /** UTC, ISO 8601. */
  readonly startedAt: string;
  readonly keeperPid?: number;
  /** Only while the lab is bound to the life of another process. */
  readonly ownerPid?: number;
  readonly environmentFile: string;
  readonly replication: 'sync' | 'async';
  /** `18.4`. */
  readonly postgresVersion: string;
  readonly urls: { readonly shop: string };
  readonly hosts: readonly LabHostInfo[];
}

export interface LabHostInfo {
  readonly name: string;
  readonly group: string;
  readonly sshPort: number;
  readonly user: string;
}

/** One's own labs, oldest first. Folders of other people are not looked into: what stands in them could name any process. */
export async function listLabs(): Promise<LabInfo[]> {
  return labFolders()
    .flatMap((dir) => {
      const record = readRecord(dir);
      return record === undefined ? [] : [toInfo(dir, record)];
    })
    .sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
}

/** Paths of the lab folders that belong to this user. */
export function labFolders(): string[] {
  const root = labsRoot();
  return readdirSync(root)
    .filter((name) => labIdOf(name) !== undefined)
    .map((name) => join(root, name))
    .filter(isOurs);
}

function isOurs(dir: string): boolean {
  try {
    const facts = lstatSync(dir);
    return facts.isDirectory() && facts.uid === process.getuid?.();
  } catch {
    return false;
  }
}

export function toInfo(dir: string, record: LabRecord): LabInfo {
  const { id, startedAt, keeper, owner, replication, postgres } = record;
  const ssh = labPorts(record.basePort).ssh;
  return {
    id,
    dir,
    state: stateOf(record),
    startedAt,
    ...(keeper === undefined ? {} : { keeperPid: keeper.pid }),
    ...(owner === undefined || existsSync(labPaths(dir).adopted) ? {} : { ownerPid: owner.pid }),
    environmentFile: labPaths(dir).environment,
    replication,
    postgresVersion: postgres.version,
    urls: { shop: shopUrl({ dir, record }) },
    hosts: labHosts.map((name) => ({ name, group: hostGroup(name), sshPort: ssh[name], user: loginOf(name) })),
  };
}

function stateOf(record: LabRecord): LabInfo['state'] {
  const held = isAlive(record.keeper ?? record.starter);
  return held && record.state !== 'failed' ? record.state : 'dead';
}

/** The lab with this id. Rejects with `CHAOS_LAB` and the ids there are. */
export async function findLab(id: string): Promise<LabInfo> {
  const labs = await listLabs();
  const found = labs.find((lab) => lab.id === id);
  if (found !== undefined) return found;
  throw new ChaosError('CHAOS_LAB', `there is no lab ${id}`, {
    target: id,
    hint:
      labs.length > 0
        ? `running labs: ${labs.map((lab) => lab.id).join(', ')}`
        : 'no lab of yours is running; start one with `chaos lab up`',
  });
}

/** Frees a lab from its owner: it stays until `stopLab`. May be called again. Rejects with `CHAOS_LAB` when it is going down already. */
export async function adoptLab(id: string): Promise<LabInfo> {
  const lab = await findLab(id);
  if (lab.state === 'starting' || lab.state === 'up') writeFileSync(labPaths(lab.dir).adopted, '', { mode: 0o600 });
  // Looked at again after the mark is on disk: the keeper sets its state first, then looks for the mark, and stays if it is there.
  let now = await findLab(id);
  for (let look = 0; now.state === 'stopping' && lab.state !== 'stopping' && look < 10; look++) {
    await systemClock.sleep(50, new AbortController().signal);
    now = await findLab(id);
  }
  if (now.state === 'starting' || now.state === 'up') return now;
  throw new ChaosError('CHAOS_LAB', `lab ${id} cannot be kept: it is ${now.state === 'dead' ? 'dead' : 'going down'}`, {
    target: id,
    hint: 'start a fresh one with `chaos lab up`',
  });
}

/** Arguments for OpenSSH's client to log in to a lab host. Rejects with `CHAOS_LAB` for an unknown host or where there is no `ssh`. */
export async function labSshCommand(id: string, host: string): Promise<string[]> {
  const lab = await findLab(id);
  if (!lab.hosts.some((one) => one.name === host)) {
    const names = lab.hosts.map((one) => one.name);
    const meant = nearest(host, names);
    const hint = meant === undefined ? `its hosts: ${names.join(', ')}` : `did you mean ${meant}?`;
    throw new ChaosError('CHAOS_LAB', `lab ${id} has no host ${host}`, { target: host, hint });
  }
  const ssh = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'ssh'))
    .find(isExecutable);
  if (ssh === undefined) {
    throw new ChaosError('CHAOS_LAB', 'there is no `ssh` in PATH', { hint: 'install an OpenSSH client (apt-get install openssh-client)' });
  }
  return [ssh, '-F', labPaths(lab.dir).sshConfig, host];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
