/** The lab's database: a primary on db-a and a streaming standby on db-b, real servers started the way an operator would. */
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { poll, systemClock } from '../core/clock.ts';
import { ChaosError } from '../core/errors.ts';
import { tail } from '../core/text.ts';
import { accountOf, hostEnvironment, type Lab } from './host-environment.ts';
import { type DatabaseHost, databaseName, databaseUsers, labPaths, labPorts, loopback } from './layout.ts';
import { nodeCommands, type Passwords, slotOf } from './node-commands.ts';
import { runProgram } from './programs.ts';
import { type Query, withAdmin } from './sql.ts';

const primary: DatabaseHost = 'db-a';
const standby: DatabaseHost = 'db-b';
const setupTimeoutMs = 15_000;

/**
 * Creates and starts both nodes; resolves when the standby streams and, for synchronous replication, commits wait for it. `log` is told of
 * each step that is done: who waits for a lab that does not come up sees where it stands.
 */
export async function createCluster(lab: Lab, passwords: Passwords, log: (text: string) => void, signal: AbortSignal): Promise<void> {
  await initialise(lab, passwords, signal);
  log(`${primary}: initialised`);
  await startNode(lab, primary, signal);
  log(`${primary}: started`);
  await withAdmin(lab, primary, { database: 'postgres', timeoutMs: setupTimeoutMs }, (query) => createAccounts(query, passwords));
  await withAdmin(lab, primary, { timeoutMs: setupTimeoutMs }, createTables);
  await withAdmin(lab, primary, { timeoutMs: setupTimeoutMs }, (query) => clone(lab, passwords, query, signal));
  log(`${standby}: copied from ${primary}`);
  await startNode(lab, standby, signal);
  log(`${standby}: started`);
  await awaitStreaming(lab, signal);
  log(`${standby}: streams`);
}

async function initialise(lab: Lab, passwords: Passwords, signal: AbortSignal): Promise<void> {
  const paths = labPaths(lab.dir);
  const passwordFile = join(paths.home(primary), '.initial-password');
  writeFileSync(passwordFile, `${passwords.admin}\n`, { mode: 0o600 });
  own(lab, primary, passwordFile);
  const authentication = ['-U', databaseUsers.admin, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
  const layout = ['--no-sync', '--no-locale', '-E', 'UTF8', '--wal-segsize=1'];
  await run(lab, primary, 'initdb', ['-D', paths.data(primary), ...authentication, ...layout], signal);
  rmSync(passwordFile);
  writeConfiguration(lab, primary);
}

async function startNode(lab: Lab, node: DatabaseHost, signal: AbortSignal): Promise<void> {
  const options = { account: accountOf(lab, node), env: hostEnvironment(lab, node), cwd: labPaths(lab.dir).home(node) };
  try {
    await runProgram('/bin/sh', ['-c', nodeCommands(lab, node).start], options, signal);
  } catch (cause) {
    signal.throwIfAborted();
    // pg_ctl only says that it did not work; why, the server tells its log.
    throw new ChaosError('CHAOS_LAB', `PostgreSQL on ${node} does not start: ${tail(readLog(lab, node))}`, { target: node, cause });
  }
}

function readLog(lab: Lab, node: DatabaseHost): string {
  try {
    return readFileSync(labPaths(lab.dir).postgresLog(node), 'utf8');
  } catch {
    return 'it wrote no log';
  }
}

async function run(lab: Lab, node: DatabaseHost, program: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const options = { account: accountOf(lab, node), cwd: labPaths(lab.dir).home(node) };
  const env = { ...hostEnvironment(lab, node), PGPASSFILE: passFile(lab, node) };
  await runProgram(join(lab.record.postgres.binDir, program), args, { ...options, env }, signal);
}

/** Replaces the generated files: the same on both nodes but for the port and the name. */
function writeConfiguration(lab: Lab, node: DatabaseHost): void {
  const data = labPaths(lab.dir).data(node);
  const settings: Record<string, string | number> = {
    listen_addresses: loopback,
    port: labPorts(lab.record.basePort).database[node],
    unix_socket_directories: '',
    cluster_name: node,
    password_encryption: 'scram-sha-256',
    max_connections: 80,
    shared_buffers: '16MB',
    // Without it a killed server would leave its dynamic shared memory in /dev/shm.
    dynamic_shared_memory_type: 'mmap',
    fsync: 'off',
    wal_level: 'replica',
    // Lets pg_rewind bring a lost primary back.
    wal_log_hints: 'on',
    hot_standby: 'on',
    max_wal_senders: 10,
    max_replication_slots: 10,
    wal_keep_size: '64MB',
    min_wal_size: '8MB',
    max_wal_size: '128MB',
    wal_retrieve_retry_interval: '200ms',
    wal_receiver_status_interval: '1s',
    synchronous_standby_names: '',
    log_line_prefix: '%m [%p] ',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
  const lines = Object.entries(settings).map(([name, value]) =>
    typeof value === 'number' ? `${name} = ${value}` : `${name} = '${value}'`,
  );
  writeFileSync(join(data, 'postgresql.conf'), `${lines.join('\n')}\n`, { mode: 0o600 });
  const access = ['all all', 'replication all'].map((what) => `host ${what} ${loopback}/32 scram-sha-256`);
  writeFileSync(join(data, 'pg_hba.conf'), `${access.join('\n')}\n`, { mode: 0o600 });
  for (const name of ['postgresql.conf', 'pg_hba.conf']) own(lab, node, join(data, name));
}

async function createAccounts(query: Query, passwords: Passwords): Promise<void> {
  // Passwords are hexadecimal: nothing in them needs quoting.
  await query(`CREATE ROLE ${databaseUsers.replication} LOGIN REPLICATION PASSWORD '${passwords.replication}'`);
  await query(`CREATE ROLE ${databaseUsers.shop} LOGIN PASSWORD '${passwords.shop}'`);
  await query(`CREATE DATABASE ${databaseName} OWNER ${databaseUsers.shop}`);
}

/** What pg_rewind needs of a role that is no superuser: https://www.postgresql.org/docs/current/app-pgrewind.html, Notes. */
const rewindFunctions = [
  'pg_ls_dir(text, boolean, boolean)',
  'pg_stat_file(text, boolean)',
  'pg_read_binary_file(text)',
  'pg_read_binary_file(text, bigint, bigint, boolean)',
];

async function createTables(query: Query): Promise<void> {
  await query(`CREATE TABLE orders (
    id uuid PRIMARY KEY, served_by text NOT NULL, amount_cents integer NOT NULL, created_at timestamptz NOT NULL DEFAULT now())`);
  await query(`ALTER TABLE orders OWNER TO ${databaseUsers.shop}`);
  for (const name of rewindFunctions) await query(`GRANT EXECUTE ON FUNCTION pg_catalog.${name} TO ${databaseUsers.replication}`);
  await query('SELECT pg_create_physical_replication_slot($1, true)', [slotOf(standby)]);
}

/** Copies the primary: with pg_basebackup where there is one, else by the low-level backup API (the npm package has only the server). */
async function clone(lab: Lab, passwords: Passwords, query: Query, signal: AbortSignal): Promise<void> {
  const data = labPaths(lab.dir).data(standby);
  writePassFile(lab, passwords);
  if (existsSync(join(lab.record.postgres.binDir, 'pg_basebackup'))) {
    const source = ['-h', loopback, '-p', String(labPorts(lab.record.basePort).database[primary]), '-U', databaseUsers.replication];
    await run(lab, standby, 'pg_basebackup', [...source, '-D', data, '-X', 'stream', '-c', 'fast', '--no-sync'], signal);
  } else {
    await cloneFiles(lab, query);
  }
  writeConfiguration(lab, standby);
  writeStandbySettings(lab, passwords);
}

/** https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-LOWLEVEL-BASE-BACKUP; the functions had other names before 15. */
async function cloneFiles(lab: Lab, query: Query): Promise<void> {
  const paths = labPaths(lab.dir);
  const [from, to] = [paths.data(primary), paths.data(standby)];
  const modern = Number.parseInt(lab.record.postgres.version, 10) >= 15;
  await query(modern ? "SELECT pg_backup_start('chaos-lab', true)" : "SELECT pg_start_backup('chaos-lab', true, false)");
  mkdirSync(to, { mode: 0o700 });
  // Slots belong to the primary; pid file and options to its running server.
  const left = new Set(['postmaster.pid', 'postmaster.opts', 'pg_replslot', 'pg_internal.init'].map((name) => join(from, name)));
  cpSync(from, to, { recursive: true, filter: (path) => !left.has(path) });
  mkdirSync(join(to, 'pg_replslot'), { mode: 0o700 });
  const [backup] = await query(
    modern ? 'SELECT labelfile FROM pg_backup_stop(false)' : 'SELECT labelfile FROM pg_stop_backup(false, false)',
  );
  writeFileSync(join(to, 'backup_label'), String(backup?.labelfile), { mode: 0o600 });
  restrict(to);
  ownTree(lab, standby, to);
}

function writeStandbySettings(lab: Lab, passwords: Passwords): void {
  const data = labPaths(lab.dir).data(standby);
  const port = labPorts(lab.record.basePort).database[primary];
  const user = databaseUsers.replication;
  const source = `host=${loopback} port=${port} user=${user} password=${passwords.replication} application_name=${standby}`;
  const settings = [`primary_conninfo = '${source}'`, `primary_slot_name = '${slotOf(standby)}'`];
  writeFileSync(join(data, 'postgresql.auto.conf'), `${settings.join('\n')}\n`, { mode: 0o600 });
  writeFileSync(join(data, 'standby.signal'), '', { mode: 0o600 });
  for (const name of ['postgresql.auto.conf', 'standby.signal']) own(lab, standby, join(data, name));
}

function passFile(lab: Lab, node: DatabaseHost): string {
  return join(labPaths(lab.dir).home(node), '.pgpass');
}

/** `.pgpass` for pg_basebackup and for people on the host: passwords never stand on a command line. */
function writePassFile(lab: Lab, passwords: Passwords): void {
  const entries = [`${databaseUsers.replication}:${passwords.replication}`, `${databaseUsers.admin}:${passwords.admin}`];
  for (const node of [primary, standby]) {
    writeFileSync(passFile(lab, node), entries.map((entry) => `${loopback}:*:*:${entry}\n`).join(''), { mode: 0o600 });
    own(lab, node, passFile(lab, node));
  }
}

async function awaitStreaming(lab: Lab, signal: AbortSignal): Promise<void> {
  await withAdmin(lab, primary, { timeoutMs: setupTimeoutMs }, async (query) => {
    const attempt = async (): Promise<true | undefined> => {
      const rows = await query("SELECT 1 FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'", [standby]);
      return rows.length > 0 ? true : undefined;
    };
    if ((await poll(systemClock, { interval: 20, within: setupTimeoutMs }, attempt, signal)) === undefined) {
      throw new ChaosError('CHAOS_LAB', `the standby ${standby} does not stream; see ${labPaths(lab.dir).postgresLog(standby)}`);
    }
    if (lab.record.replication === 'sync') {
      await query(`ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 ("${standby}")'`);
      await query('SELECT pg_reload_conf()');
    }
  });
}

function own(lab: Lab, node: DatabaseHost, path: string): void {
  const account = accountOf(lab, node);
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}

function ownTree(lab: Lab, node: DatabaseHost, path: string): void {
  own(lab, node, path);
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) own(lab, node, join(entry.parentPath, entry.name));
}

/** PostgreSQL refuses a data folder that others may look into; a copy takes modes from the umask. */
function restrict(path: string): void {
  chmodSync(path, 0o700);
}
