/**
 * From an operator's Ctrl-C until every revert on a fleet is verified: `npm run bench:fleet`. The hosts are ports of one sshd on loopback, each
 * with a home of its own, so all shells of all targets share the cores of this machine; real hosts have their own. Beside it, in the same run, the
 * bare undo and its check through parallel ssh with ControlMaster: no fuse, no journal, no lock.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { CleanupStack } from '../../src/core/cleanup-stack.ts';
import { knownHostsLine } from '../../src/lab/ssh-keys.ts';
import { chaosBin } from '../support/cli.ts';
import { freePort, type SshEndpoint, sshd, startSystemSshd } from '../support/ssh-endpoints.ts';
import { onMasters, openMasters } from './masters.ts';

const count = 100;
/** From the signal on. */
const mostMs = 2_000;
/** Times the bare undo; on hosts with cores of their own the shells of one do not wait for those of the others. */
const mostRatio = 1.5;
const undo = 'rm -f faulty';
const check = '[ ! -e faulty ]';

/** sshd listens on sixteen ports at most. */
const portsOfOne = 15;

interface Host {
  readonly port: number;
  readonly home: string;
  readonly hostKey: string;
}

interface Fleet {
  /** One of the servers; all let in by its key. */
  readonly endpoint: SshEndpoint;
  readonly hosts: readonly Host[];
  readonly project: string;
}

async function startFleet(cleanup: CleanupStack): Promise<Fleet> {
  const servers: { readonly endpoint: SshEndpoint; readonly hosts: readonly Host[] }[] = [];
  for (let left = count; left > 0; left -= portsOfOne) servers.push(await startServer(Math.min(left, portsOfOne), cleanup));
  const [{ endpoint } = { endpoint: undefined }] = servers;
  if (endpoint === undefined) throw new Error('no server');
  for (const other of servers) {
    if (other.endpoint !== endpoint) copyFileSync(join(endpoint.folder, 'authorized_keys'), join(other.endpoint.folder, 'authorized_keys'));
  }
  const hosts = servers.flatMap((server) => server.hosts);
  const known = [{ port: endpoint.host.port, hostKey: endpoint.hostKey }, ...hosts];
  writeFileSync(
    join(endpoint.folder, 'known_hosts'),
    known.map(({ port, hostKey }) => `${knownHostsLine('127.0.0.1', port, hostKey).trimEnd()}\n`).join(''),
  );
  return { endpoint, hosts, project: await writeProject(endpoint, hosts, cleanup) };
}

async function startServer(
  size: number,
  cleanup: CleanupStack,
): Promise<{ readonly endpoint: SshEndpoint; readonly hosts: readonly Host[] }> {
  const ports = new Set<number>();
  while (ports.size < size) ports.add(await freePort());
  // As hosts of a lab they keep their fuses apart from each other, in their homes.
  const homes = [...ports].flatMap((port) => [`Match LocalPort ${port}`, `  SetEnv HOME=%FOLDER%/${port} CHAOS_LAB_HOST=h${port}`]);
  const listen = [...ports].map((port) => `Port ${port}`);
  const endpoint = cleanup.use(await startSystemSshd(['MaxStartups 1000', 'LogLevel ERROR', ...listen, ...homes]));
  const hosts = [...ports].map((port) => ({ port, home: join(endpoint.folder, String(port)), hostKey: endpoint.hostKey }));
  for (const { home } of hosts) mkdirSync(home);
  return { endpoint, hosts };
}

async function writeProject({ folder, host }: SshEndpoint, hosts: readonly Host[], cleanup: CleanupStack): Promise<string> {
  const shop = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(shop, 'listening');
  cleanup.defer(() => shop.close());
  const url = `http://127.0.0.1:${(shop.address() as AddressInfo).port}/`;
  const project = join(folder, 'project');
  mkdirSync(join(project, 'experiments/environments'), { recursive: true });
  const environment = {
    apiVersion: 'chaos/v1',
    kind: 'Environment',
    name: 'fleet',
    tier: 'lab',
    ssh: { config: 'none', user: host.user, identityFile: join(folder, 'id'), knownHosts: join(folder, 'known_hosts'), agent: false },
    hosts: Object.fromEntries(hosts.map(({ port }) => [`h${port}`, { address: '127.0.0.1', port, groups: ['all'] }])),
    probes: { web: { http: { url, rate: '5/s', timeout: '1s' } } },
    slos: { 'web-errors': { probe: 'web', measure: 'error-rate', window: '5s', fatal: '> 50%' } },
    guards: { maxTargets: count, maxShare: '100%' },
  };
  const experiment = {
    apiVersion: 'chaos/v1',
    kind: 'Experiment',
    name: 'fleet',
    title: 'A file on every host',
    owner: 'tests',
    hypothesis: 'Nobody notices.',
    steadyState: { baseline: '1s', slos: ['web-errors'], recovery: { within: '20s', hold: '1s' } },
    method: [
      {
        fault: 'command',
        on: { group: 'all' },
        with: { inject: 'touch faulty', verify: '[ -e faulty ]', revert: undo, check },
        duration: '60s',
      },
    ],
    limits: { maxTargets: count, maxShare: '100%', maxDuration: '5m' },
  };
  writeFileSync(join(project, 'experiments/environments/fleet.yaml'), JSON.stringify(environment));
  writeFileSync(join(project, 'experiments/fleet.yaml'), JSON.stringify(experiment));
  return project;
}

async function untilInEffect(runner: ChildProcess, reports: string): Promise<void> {
  let said = '';
  for (const stream of [runner.stdout, runner.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  for (let waited = 0; !existsSync(reports) || !journalIn(reports).some(({ type }) => type === 'fault.verified'); waited += 100) {
    if (runner.exitCode !== null || waited > 60_000) throw new Error(`never in effect:\n${said}`);
    await sleep(100);
  }
}

interface Told {
  readonly type: string;
  readonly operation?: string;
  readonly at: string;
  readonly clean?: boolean;
}

/** Whole lines only. */
function journalIn(reports: string): Told[] {
  const [folder] = readdirSync(reports);
  const file = join(reports, folder ?? '', 'journal.jsonl');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
  return lines.map((line) => JSON.parse(line) as Told);
}

/** ms from the signal until the last target was seen clean; that the fuses are removed comes after it. */
async function haltMs({ project, hosts }: Fleet, round: number): Promise<number> {
  const reports = join(project, `reports-${round}`);
  const runner = spawn(process.execPath, [chaosBin, 'run', 'fleet', '--env', 'fleet', '--yes', '--reports', reports], { cwd: project });
  await untilInEffect(runner, reports);
  await sleep(500);
  const faulty = (): boolean[] => hosts.map(({ home }) => existsSync(join(home, 'faulty')));
  expect(faulty()).toEqual(Array(count).fill(true));

  const halted = Date.now();
  runner.kill('SIGINT');
  const [code] = (await once(runner, 'exit')) as [number | null];

  const told = journalIn(reports);
  // Each answers only after it has undone and checked.
  const answered = told.filter(({ type, operation = '' }) => type === 'operation.finished' && operation.startsWith('pull-'));
  expect(code).toBe(130);
  expect(answered).toHaveLength(count);
  expect(told.filter(({ type }) => type === 'fault.reverted').map(({ clean }) => clean)).toEqual([true]);
  expect(faulty()).toEqual(Array(count).fill(false));
  return Math.max(...answered.map(({ at }) => Date.parse(at))) - halted;
}

async function bareMs({ endpoint }: Fleet, sockets: readonly string[]): Promise<number> {
  await onMasters(sockets, endpoint.host.user, `cd "$HOME" && touch faulty`);
  const from = performance.now();
  await onMasters(sockets, endpoint.host.user, `cd "$HOME" && ${undo}`);
  await onMasters(sockets, endpoint.host.user, `cd "$HOME" && ${check}`);
  return performance.now() - from;
}

const why = sshd === undefined || !existsSync('/usr/bin/ssh') ? 'OpenSSH is not installed' : undefined;
if (why !== undefined) console.warn(`skipped: ${why}`);

describe.skipIf(why !== undefined)(`${count} hosts`, () => {
  test('are all seen clean soon after a Ctrl-C', { timeout: 600_000, retry: 0 }, async () => {
    await using cleanup = new CleanupStack();
    const fleet = await startFleet(cleanup);
    const sockets = await openMasters(fleet.endpoint, count, cleanup);

    const rounds: { readonly chaos: number; readonly bare: number }[] = [];
    for (let round = 0; round < 3; round++) rounds.push({ chaos: await haltMs(fleet, round), bare: await bareMs(fleet, sockets) });

    console.table(
      rounds.map(({ chaos, bare }) => ({
        'Ctrl-C to all reverts verified, ms': chaos,
        'bare undo and check by ssh with ControlMaster, ms': Math.round(bare),
        ratio: `${(chaos / bare).toFixed(2)}x`,
      })),
    );
    for (const { chaos, bare } of rounds) {
      expect(chaos).toBeLessThan(mostMs);
      expect(chaos / bare).toBeLessThan(mostRatio);
    }
  });
});
