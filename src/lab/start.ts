/** Starts a lab: makes its folder, finds what it needs, starts the keeper and waits until the shop sells. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { poll, systemClock } from '../core/clock.ts';
import { entryPoint } from '../core/entry-point.ts';
import { ChaosError } from '../core/errors.ts';
import { tail } from '../core/text.ts';
import { canRunNode, unprivilegedAccount } from './accounts.ts';
import { type LabInfo, toInfo } from './lab.ts';
import { labDir, labPaths, labsRoot } from './layout.ts';
import { checkPorts, findPorts } from './ports.ts';
import { type PostgresChoice, preparePostgres } from './postgres-binaries.ts';
import { identify, isAlive, labVariable, signalProcess } from './processes.ts';
import { type LabRecord, readRecord, writeRecord } from './record.ts';
import { clearStaleLabs } from './stop.ts';
import { takeDown } from './take-down.ts';

export interface LabOptions {
  /** `sync`: a commit waits for the standby. Default `sync`. */
  readonly replication?: 'sync' | 'async';
  /** Default: the one from npm, else one installed on this machine. */
  readonly postgres?: PostgresChoice;
  /** The lab goes down by itself `lingerMs` after this process is gone, unless it was adopted. Default: it stays until it is stopped. */
  readonly owner?: { readonly pid: number; readonly lingerMs: number };
  /** First of 16 ports in a row, 1024–32752. Default: free ones. */
  readonly basePort?: number;
}

const upWithinMs = 60_000;
const attempts = 5;

/** Resolves when the shop sells and the standby streams. Rejects with `CHAOS_LAB` or the signal's reason; then nothing is left behind. */
export async function startLab(options: LabOptions, signal: AbortSignal): Promise<LabInfo> {
  if (options.basePort !== undefined) await checkPorts(options.basePort);
  await clearStaleLabs();
  for (let attempt = 1; ; attempt++) {
    const lab = await tryStart(options, signal);
    if (lab !== 'port-taken') return lab;
    if (attempt === attempts || options.basePort !== undefined) {
      throw new ChaosError('CHAOS_LAB', 'a port that the lab needs was taken while it started', {
        hint: 'try again, or choose another base port',
      });
    }
  }
}

async function tryStart(options: LabOptions, signal: AbortSignal): Promise<LabInfo | 'port-taken'> {
  signal.throwIfAborted();
  const { id, dir } = createFolder();
  try {
    const record = await prepare(id, dir, options, signal);
    writeRecord(dir, record);
    const up = await awaitUp(dir, startKeeper(id, dir), signal);
    if (up === 'port-taken') await dismantle(id, dir);
    return up;
  } catch (error) {
    await dismantle(id, dir);
    throw error;
  }
}

function createFolder(): { readonly id: string; readonly dir: string } {
  const id = randomBytes(3).toString('hex');
  const dir = labDir(id);
  try {
    mkdirSync(dir);
    // Others may pass through to what belongs to them (the account that PostgreSQL runs as), but not look around.
    chmodSync(dir, 0o711);
    mkdirSync(labPaths(dir).hosts);
    chmodSync(labPaths(dir).hosts, 0o711);
  } catch (cause) {
    throw new ChaosError('CHAOS_LAB', `cannot create the lab's folder in ${labsRoot()}`, {
      hint: 'set TMPDIR to a folder you may write to',
      cause,
    });
  }
  return { id, dir };
}

async function prepare(id: string, dir: string, options: LabOptions, signal: AbortSignal): Promise<LabRecord> {
  const account = await unprivilegedAccount(dir, signal);
  const postgres = await preparePostgres(options.postgres, dir, account, signal);
  const services = account !== undefined && (await canRunNode(account, entryPoint('lab/checkout-service'), signal)) ? account : undefined;
  return {
    version: 1,
    id,
    state: 'starting',
    startedAt: new Date().toISOString(),
    starter: identify(process.pid),
    ...(options.owner === undefined ? {} : { owner: { ...identify(options.owner.pid), lingerMs: options.owner.lingerMs } }),
    replication: options.replication ?? 'sync',
    postgres,
    ...(account === undefined ? {} : { databaseAccount: account }),
    ...(services === undefined ? {} : { serviceAccount: services }),
    basePort: options.basePort ?? (await findPorts()),
  };
}

/** In a session of its own, so that neither Ctrl-C nor the end of the terminal reaches it; and with nothing of our environment but the paths. */
function startKeeper(id: string, dir: string): { readonly gone: () => boolean } {
  const log = openSync(labPaths(dir).log, 'a', 0o600);
  let gone = false;
  try {
    const { PATH, HOME, TMPDIR } = process.env;
    const child = spawn(process.execPath, [entryPoint('lab/keeper'), 'keeper', dir], {
      cwd: '/',
      env: { PATH, HOME, TMPDIR, [labVariable]: id },
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.once('error', () => (gone = true));
    child.once('exit', () => (gone = true));
    child.unref();
  } finally {
    closeSync(log);
  }
  return { gone: () => gone };
}

async function awaitUp(dir: string, keeper: { readonly gone: () => boolean }, signal: AbortSignal): Promise<LabInfo | 'port-taken'> {
  const attempt = async (): Promise<LabInfo | 'port-taken' | undefined> => {
    // Asked before the record is read: what a keeper writes last, it writes before it is gone.
    const gone = keeper.gone();
    const record = readRecord(dir);
    if (record?.state === 'up') return toInfo(dir, record);
    if (!gone) return undefined;
    const failure = record?.failure;
    if (failure?.portTaken === true) return 'port-taken';
    const said = failure === undefined ? `its keeper ended: ${readTail(labPaths(dir).log)}` : failure.summary;
    throw new ChaosError('CHAOS_LAB', `the lab did not start: ${said}`, failure?.hint === undefined ? {} : { hint: failure.hint });
  };
  const up = await poll(systemClock, { interval: 25, within: upWithinMs }, attempt, signal);
  if (up !== undefined) return up;
  throw new ChaosError('CHAOS_LAB', `the lab was not up within ${upWithinMs / 1_000} s: ${readTail(labPaths(dir).log)}`, {
    hint: 'the machine may be too busy; try again',
  });
}

function readTail(path: string): string {
  try {
    return tail(readFileSync(path, 'utf8'), 800) || 'its log is empty';
  } catch {
    return 'it wrote no log';
  }
}

/** The keeper first: it would go on starting things. */
async function dismantle(id: string, dir: string): Promise<void> {
  const keeper = readRecord(dir)?.keeper;
  if (keeper !== undefined && isAlive(keeper)) signalProcess(keeper.pid, 'SIGKILL');
  await takeDown(id, dir);
}
