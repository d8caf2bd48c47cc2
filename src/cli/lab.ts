/** `chaos lab …`: the practice system from the outside. */
import { spawn } from 'node:child_process';
import { RunAborted } from '../core/abort.ts';
import { systemClock } from '../core/clock.ts';
import { ChaosError } from '../core/errors.ts';
import { targetId } from '../core/ids.ts';
import { shellQuote } from '../core/text.ts';
import { milliseconds } from '../core/units.ts';
import { driverFor } from '../drivers/registry.ts';
import { findLab, type LabInfo, listLabs, labSshCommand as opensshCommand } from '../lab/lab.ts';
import { startLab } from '../lab/start.ts';
import { type LabStatus, labStatus } from '../lab/status.ts';
import { stopLab } from '../lab/stop.ts';
import { openEnvironmentFile } from './project.ts';
import { listenForSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';

interface Context<Options = unknown> {
  readonly terminal: Terminal;
  readonly options: Options & { readonly json?: boolean };
}

interface UpOptions {
  readonly replication?: 'sync' | 'async';
  readonly postgres?: string;
  readonly basePort?: string;
}

/** Day-long commands in a lab are fine; a forgotten one is not for ever. */
const sshCommandLimit = milliseconds(24 * 3_600_000);

export async function labUpCommand({ terminal, options }: Context<UpOptions>): Promise<number> {
  const stop = new AbortController();
  using _signals = listenForSignals({
    stop: (signal) => stop.abort(new RunAborted({ kind: 'operator', by: signal })),
    warn: () => undefined,
  });
  const started = systemClock.monotonic();
  const lab = await startLab(
    {
      ...(options.replication === undefined ? {} : { replication: options.replication }),
      ...(options.postgres === undefined ? {} : { postgres: options.postgres }),
      ...(options.basePort === undefined ? {} : { basePort: port(options.basePort) }),
    },
    stop.signal,
  );
  const seconds = ((systemClock.monotonic() - started) / 1_000).toFixed(1);
  if (options.json === true) terminal.json({ version: 1, lab });
  else {
    terminal.out(`lab ${lab.id} is up after ${seconds} s: PostgreSQL ${lab.postgresVersion}, ${lab.replication} replication`);
    terminal.out(`  shop         ${lab.urls.shop}`);
    terminal.out(`  hosts        ${lab.hosts.map((host) => host.name).join(', ')}`);
    terminal.out(`  environment  ${lab.environmentFile}`);
    terminal.err('next: chaos lab status, chaos run db-failover, chaos lab down');
  }
  return 0;
}

function port(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1_024 && value <= 32_758) return value;
  throw new ChaosError('CHAOS_USAGE', `--base-port: expected a port from 1024 to 32758, got ${JSON.stringify(text)}`);
}

export async function labDownCommand(id: string | undefined, { terminal, options }: Context<{ readonly all?: boolean }>): Promise<number> {
  const labs = options.all === true ? await listLabs() : [await oneLab(id)];
  if (labs.length === 0) terminal.err('no lab is running');
  const reports = [];
  for (const lab of labs) {
    const report = await stopLab(lab.id, AbortSignal.timeout(60_000));
    reports.push(report);
    terminal.err(`lab ${lab.id} is down; nothing of it is left`);
  }
  if (options.json === true) terminal.json({ version: 1, labs: reports });
  return 0;
}

export async function labStatusCommand(id: string | undefined, { terminal, options }: Context): Promise<number> {
  const labs = id === undefined ? await listLabs() : [await findLab(id)];
  const found: LabStatus[] = [];
  for (const lab of labs) found.push(await labStatus(lab.id, AbortSignal.timeout(30_000)));
  if (options.json === true) terminal.json({ version: 1, labs: found });
  else if (found.length === 0) terminal.err('no lab is running; chaos lab up starts one');
  else for (const status of found) terminal.out(renderStatus(status));
  return found.every((status) => status.healthy) ? 0 : 1;
}

function renderStatus({ lab, healthy, hosts, services, databases, emulated }: LabStatus): string {
  const upDown = (up: boolean): string => (up ? 'up' : 'DOWN');
  return [
    `lab ${lab.id}  ${lab.state}, ${healthy ? 'healthy' : 'NOT HEALTHY'}  since ${lab.startedAt}  PostgreSQL ${lab.postgresVersion}, ${lab.replication} replication`,
    ...hosts.map((host) => `  ssh       ${host.name.padEnd(12)} port ${host.port}  ${upDown(host.up)}`),
    ...services.map((service) => `  service   ${service.host.padEnd(12)} port ${service.port}  ${service.name} ${upDown(service.up)}`),
    ...databases.map((node) => `  database  ${node.host.padEnd(12)} port ${node.port}  ${node.role.toUpperCase()}  ${node.replication}`),
    `  environment file: ${lab.environmentFile}`,
    '  emulated here, real elsewhere:',
    ...emulated.map((line) => `    - ${line}`),
  ].join('\n');
}

/** The only lab, or the one that was named. */
async function oneLab(id: string | undefined): Promise<LabInfo> {
  if (id !== undefined) return findLab(id);
  const labs = await listLabs();
  const [first] = labs;
  if (first === undefined) throw new ChaosError('CHAOS_LAB', 'no lab is running', { hint: 'chaos lab up starts one' });
  if (labs.length === 1) return first;
  throw new ChaosError('CHAOS_LAB', `several labs are running: ${labs.map((lab) => lab.id).join(', ')}`, { hint: 'name one of them' });
}

export async function labSshCommand(
  host: string,
  words: readonly string[],
  { terminal, options }: Context<{ readonly lab?: string }>,
): Promise<number> {
  const lab = await oneLab(options.lab);
  return words.length === 0 ? shell(await opensshCommand(lab.id, host)) : command(lab, host, words, terminal);
}

function shell([program = 'ssh', ...args]: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    // Ctrl-C belongs to the shell in there.
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore);
    const child = spawn(program, args, { stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code) => {
      process.off('SIGINT', ignore);
      resolve(code ?? 1);
    });
  });
}

/** One word is a shell text as it stands, several are words to be kept apart. */
async function command(lab: LabInfo, host: string, words: readonly string[], terminal: Terminal): Promise<number> {
  const planned = openEnvironmentFile(lab.environmentFile).hosts.find((candidate) => candidate.id === host);
  if (planned === undefined) {
    throw new ChaosError('CHAOS_NOT_FOUND', `lab ${lab.id} has no host ${host}`, {
      hint: `its hosts: ${lab.hosts.map(({ name }) => name).join(', ')}`,
    });
  }
  const { groups: _groups, roles: _roles, ...address } = planned;
  const stop = new AbortController();
  using _signals = listenForSignals({ stop: (signal) => stop.abort(new Error(signal)), warn: () => undefined });
  await using session = await (await driverFor('ssh')).connect({ ...address, id: targetId(host) }, stop.signal);
  const text = words.length === 1 ? (words[0] ?? '') : words.map(shellQuote).join(' ');
  const running = await session.start({ command: text, timeout: sshCommandLimit }, stop.signal);
  running.stdin.end();
  running.stdout.pipe(process.stdout, { end: false });
  const result = await running.result;
  if (result.stderr !== '') terminal.writeErr(result.stderr);
  return result.exitCode ?? (result.ended === 'exited' ? 1 : 255);
}
