/** Where everything of one lab is: hosts, ports, files. One place, so that keeper, starter and cleaner can never disagree. */
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const serviceHosts = ['checkout-1', 'checkout-2'] as const;
export const databaseHosts = ['db-a', 'db-b'] as const;
export const labHosts = ['lb', ...serviceHosts, ...databaseHosts] as const;
export type ServiceHost = (typeof serviceHosts)[number];
export type DatabaseHost = (typeof databaseHosts)[number];
export type LabHost = (typeof labHosts)[number];

/** Every way from a host of the lab to a port of another; replication between the databases goes past them. */
export const labLinks = [
  ...serviceHosts.map((to) => ({ from: 'lb', to }) as const),
  ...serviceHosts.flatMap((from) => databaseHosts.map((to) => ({ from, to }) as const)),
];
export type LinkName = `${LabHost}>${ServiceHost | DatabaseHost}`;

/** The only address a lab listens on. */
export const loopback = '127.0.0.1';
export const databaseName = 'shop';
/** Accounts inside PostgreSQL; their passwords are made afresh for each lab. */
export const databaseUsers = { admin: 'chaos_admin', replication: 'replicator', shop: 'shop' } as const;

export interface LabPorts {
  readonly ssh: Readonly<Record<LabHost, number>>;
  readonly shop: number;
  readonly checkout: Readonly<Record<ServiceHost, number>>;
  readonly database: Readonly<Record<DatabaseHost, number>>;
  /** Where `from` finds `to`, one after the other as in {@link labLinks}. */
  readonly link: (name: LinkName) => number;
}

/** How many ports in a row a lab takes. */
export const portCount = 10 + labLinks.length;

export function labPorts(base: number): LabPorts {
  return {
    ssh: { lb: base, 'checkout-1': base + 1, 'checkout-2': base + 2, 'db-a': base + 3, 'db-b': base + 4 },
    shop: base + 5,
    checkout: { 'checkout-1': base + 6, 'checkout-2': base + 7 },
    database: { 'db-a': base + 8, 'db-b': base + 9 },
    link: (name) => base + 10 + labLinks.findIndex(({ from, to }) => `${from}>${to}` === name),
  };
}

/** What listens on the port at `offset` from the base, for messages. */
export function portPurpose(offset: number): string {
  const host = labHosts[offset];
  if (host !== undefined) return `SSH of ${host}`;
  const links = labLinks.map(({ from, to }) => `the link from ${from} to ${to}`);
  const rest = ['the shop', 'checkout-1', 'checkout-2', 'PostgreSQL of db-a', 'PostgreSQL of db-b', ...links];
  return rest[offset - labHosts.length] ?? 'the lab';
}

const folderPrefix = 'chaos-lab-';

/** Real path of the folder labs live in: processes are compared with it, and macOS reaches it through a link. */
export function labsRoot(): string {
  return realpathSync(tmpdir());
}

export function labDir(id: string): string {
  return join(labsRoot(), folderPrefix + id);
}

/** The id in a lab folder's name; `undefined` for any other name. */
export function labIdOf(folder: string): string | undefined {
  const id = folder.startsWith(folderPrefix) ? folder.slice(folderPrefix.length) : '';
  return /^[0-9a-f]{6}$/.test(id) ? id : undefined;
}

/** Paths inside a lab's folder. */
export function labPaths(dir: string) {
  return {
    log: join(dir, 'keeper.log'),
    adopted: join(dir, 'adopted'),
    segments: join(dir, 'shared-memory'),
    environment: join(dir, 'environment.yaml'),
    sshConfig: join(dir, 'ssh_config'),
    knownHosts: join(dir, 'known_hosts'),
    keys: join(dir, 'keys'),
    clientKey: join(dir, 'keys', 'id_ed25519'),
    password: (name: keyof typeof databaseUsers) => join(dir, 'keys', `${name}-password`),
    postgres: join(dir, 'postgresql'),
    hosts: join(dir, 'hosts'),
    home: (host: LabHost) => join(dir, 'hosts', host),
    data: (host: DatabaseHost) => join(dir, 'hosts', host, 'data'),
    postgresLog: (host: DatabaseHost) => join(dir, 'hosts', host, 'postgres.log'),
  };
}

export function hostGroup(host: LabHost): string {
  if (host === 'lb') return 'edge';
  return host.startsWith('db-') ? 'db' : 'checkout';
}

/** The name one logs in with over SSH. */
export function loginOf(host: LabHost): string {
  return hostGroup(host) === 'db' ? 'postgres' : 'shop';
}
