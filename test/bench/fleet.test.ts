/**
 * How fast a fleet is reached and how close together it is hit, against what people use today, in the same run and over the same servers:
 * `npm run bench:fleet`. All hosts are connections to one sshd on loopback, so what a target costs is paid by this machine for both sides.
 * HOSTS says how many (default `10 100 300`). Ansible is compared where it is installed.
 */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CleanupStack } from '../../src/core/cleanup-stack.ts';
import { targetId } from '../../src/core/ids.ts';
import { mapLimit } from '../../src/core/limit.ts';
import { milliseconds } from '../../src/core/units.ts';
import type { HostSession } from '../../src/drivers/contract.ts';
import { sshDriver } from '../../src/drivers/ssh/index.ts';
import { type SshEndpoint, sshd, startSystemSshd } from '../support/ssh-endpoints.ts';
import { handshakes, onMasters, openMasters, sshWords } from './masters.ts';

const run = promisify(execFile);
const sizes = (process.env.HOSTS ?? '10 100 300').split(' ').map(Number);
const forever = new AbortController().signal;
/** When a host began, in ms since 1970, by its own clock. */
const begun = 'exec date +%s%N';
const rounds = 3;
const hasAnsible = spawnSync('ansible', ['--version']).status === 0;
if (!hasAnsible) console.warn('ansible is not installed: not compared');

const span = (times: readonly number[]): number => Math.max(...times) - Math.min(...times);
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const inMs = (nanoseconds: string): number => Number(nanoseconds.trim()) / 1e6;

async function repeated(measure: () => Promise<number>): Promise<number> {
  const spans: number[] = [];
  for (let round = 0; round < rounds; round++) spans.push(await measure());
  return median(spans);
}

async function armedSpan(sessions: readonly HostSession[]): Promise<number> {
  const timeout = milliseconds(60_000);
  const armed = await mapLimit(sessions, 64, (session) => session.arm({ command: begun, timeout }, forever), forever);
  const results = await Promise.all(armed.map((command) => command.fire()));
  expect(results.every(({ ended, exitCode }) => ended === 'exited' && exitCode === 0)).toBe(true);
  return span(results.map(({ stdout }) => inMs(stdout)));
}

async function masterSpan(sockets: readonly string[], user: string): Promise<number> {
  return span((await onMasters(sockets, user, begun)).map(inMs));
}

async function ansibleSpan(endpoint: SshEndpoint, count: number): Promise<number> {
  const words = sshWords(endpoint).slice(0, -4).join(' ');
  const login = `ansible_host=127.0.0.1 ansible_port=${endpoint.host.port} ansible_user=${endpoint.host.user}`;
  const inventory = join(endpoint.folder, 'inventory');
  const control = join(endpoint.folder, 'cp');
  mkdirSync(control, { recursive: true });
  const key = `ansible_ssh_private_key_file=${join(endpoint.folder, 'id')}`;
  const hosts = Array.from({ length: count }, (_, index) => `a${index} ${login} ${key} ansible_ssh_common_args='${words}'`);
  writeFileSync(inventory, `${hosts.join('\n')}\n`);
  const env = { ...process.env, ANSIBLE_SSH_CONTROL_PATH_DIR: control, ANSIBLE_HOME: endpoint.folder, LC_ALL: 'C.UTF-8' };
  const options = { env, maxBuffer: 1 << 26 };
  const { stdout } = await run('ansible', ['all', '-i', inventory, '-f', String(count), '-m', 'raw', '-o', '-a', 'date +%s%N'], options);
  const times = [...stdout.matchAll(/\b(\d{19})\b/g)].map(([, time = '']) => inMs(time));
  expect(times).toHaveLength(count);
  return span(times);
}

const why = sshd === undefined || !existsSync('/usr/bin/ssh') ? 'OpenSSH is not installed' : undefined;
if (why !== undefined) console.warn(`skipped: ${why}`);

describe.skipIf(why !== undefined).each(sizes)('%d hosts', (count) => {
  test('are reached and hit in one moment', { timeout: 600_000, retry: 0 }, async () => {
    await using endpoint = await startSystemSshd(['MaxStartups 1000', 'LogLevel ERROR']);
    await using cleanup = new CleanupStack();
    const names = Array.from({ length: count }, (_, index) => targetId(`h${index}`));

    const loop = monitorEventLoopDelay({ resolution: 1 });
    const memory = process.memoryUsage().rss;
    loop.enable();
    const started = performance.now();
    const sessions = await mapLimit(
      names,
      handshakes,
      async (id) => cleanup.use(await sshDriver.connect({ ...endpoint.host, id }, forever)),
      forever,
    );
    const connected = performance.now() - started;
    loop.disable();
    const perConnection = (process.memoryUsage().rss - memory) / count / 1_000;
    const armed = await repeated(() => armedSpan(sessions));

    const mastersStarted = performance.now();
    const sockets = await openMasters(endpoint, count, cleanup);
    const masters = performance.now() - mastersStarted;
    const byMasters = await repeated(() => masterSpan(sockets, endpoint.host.user));
    const byAnsible = hasAnsible ? await ansibleSpan(endpoint, count) : undefined;

    const row = (what: string, ours: number, theirs: number | undefined) => ({
      what,
      chaos: Math.round(ours),
      peer: theirs === undefined ? 'not run' : Math.round(theirs),
      ratio: theirs === undefined ? '' : `${(theirs / ours).toFixed(1)}x`,
    });
    console.table([
      row(`${count} hosts connected, ms; ssh, ${handshakes} at once`, connected, masters),
      row('first to last start, ms; ssh with ControlMaster', armed, byMasters),
      row('first to last start, ms; ansible raw', armed, byAnsible),
      row('memory of a connection, kB', perConnection, undefined),
      row('longest pause of the event loop, ms', loop.max / 1e6, undefined),
    ]);
    expect(byMasters / armed).toBeGreaterThanOrEqual(3);
    if (byAnsible !== undefined) expect(byAnsible / armed).toBeGreaterThanOrEqual(20);
    expect(connected / masters).toBeLessThanOrEqual(1);
    expect(perConnection).toBeLessThan(200);
    expect(loop.max / 1e6).toBeLessThan(100);
  });
});
