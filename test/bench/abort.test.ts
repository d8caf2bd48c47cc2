/**
 * From an operator's Ctrl-C until every revert on a fleet is verified: `npm run bench:fleet`. The hosts are ports of one sshd on loopback, each
 * with a home of its own, so all shells of all targets share the cores of this machine; real hosts have their own. Beside it, in the same run, the
 * bare undo and its check through parallel ssh with ControlMaster: no fuse, no journal, no lock.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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
const limitMs = 2_000;
const undo = 'rm -f faulty';
const check = '[ ! -e faulty ]';

interface Fleet {
  readonly endpoint: SshEndpoint;
  readonly project: string;
}

async function startFleet(cleanup: CleanupStack): Promise<Fleet> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  // As hosts of a lab they keep their fuses apart from each other, in their homes.
  const hosts = [...ports].flatMap((port, index) => [
    `Match LocalPort ${port}`,
    `  SetEnv HOME=%FOLDER%/h${index} CHAOS_LAB_HOST=h${index}`,
  ]);
  const listen = [...ports].map((port) => `Port ${port}`);
  const endpoint = cleanup.use(await startSystemSshd(['MaxStartups 1000', 'LogLevel ERROR', ...listen, ...hosts]));
  for (let index = 0; index < count; index++) mkdirSync(join(endpoint.folder, `h${index}`));
  const known = [endpoint.host.port, ...ports].map((port) => `${knownHostsLine('127.0.0.1', port, endpoint.hostKey).trimEnd()}\n`);
  writeFileSync(join(endpoint.folder, 'known_hosts'), known.join(''));
  return { endpoint, project: await writeProject(endpoint, [...ports], cleanup) };
}

async function writeProject({ folder, host }: SshEndpoint, ports: readonly number[], cleanup: CleanupStack): Promise<string> {
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
    hosts: Object.fromEntries(ports.map((port, index) => [`h${index}`, { address: '127.0.0.1', port, groups: ['all'] }])),
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

async function untilInEffect(runner: ChildProcess): Promise<void> {
  let said = '';
  for (const stream of [runner.stdout, runner.stderr]) stream?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  for (let waited = 0; !/is in effect/.test(said); waited += 20) {
    if (runner.exitCode !== null || waited > 120_000) throw new Error(`never in effect:\n${said}`);
    await sleep(20);
  }
}

interface Told {
  readonly type: string;
  readonly operation?: string;
  readonly at: string;
  readonly clean?: boolean;
}

function journalIn(reports: string): Told[] {
  const [folder = ''] = readdirSync(reports);
  const lines = readFileSync(join(reports, folder, 'journal.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as Told);
}

/** ms from the signal until the last target was seen clean; that the fuses are removed comes after it. */
async function haltMs({ project, endpoint }: Fleet, round: number): Promise<number> {
  const reports = join(project, `reports-${round}`);
  const runner = spawn(process.execPath, [chaosBin, 'run', 'fleet', '--env', 'fleet', '--yes', '--reports', reports], { cwd: project });
  await untilInEffect(runner);
  await sleep(500);
  const faulty = (): boolean[] => Array.from({ length: count }, (_, index) => existsSync(join(endpoint.folder, `h${index}`, 'faulty')));
  expect(faulty()).toEqual(Array(count).fill(true));

  const halted = Date.now();
  runner.kill('SIGINT');
  const [code] = (await once(runner, 'exit')) as [number | null];

  const told = journalIn(reports);
  const checked = told.filter(({ type, operation = '' }) => type === 'operation.finished' && operation.startsWith('check-'));
  expect(code).toBe(130);
  expect(checked).toHaveLength(count);
  expect(told.filter(({ type }) => type === 'fault.reverted').map(({ clean }) => clean)).toEqual([true]);
  expect(faulty()).toEqual(Array(count).fill(false));
  return Math.max(...checked.map(({ at }) => Date.parse(at))) - halted;
}

async function bareMs({ endpoint }: Fleet, sockets: readonly string[]): Promise<number> {
  await onMasters(sockets, endpoint.host.user, 'touch faulty');
  const from = performance.now();
  await onMasters(sockets, endpoint.host.user, undo);
  await onMasters(sockets, endpoint.host.user, check);
  return performance.now() - from;
}

const why = sshd === undefined || !existsSync('/usr/bin/ssh') ? 'OpenSSH is not installed' : undefined;
if (why !== undefined) console.warn(`skipped: ${why}`);

describe.skipIf(why !== undefined)(`${count} hosts`, () => {
  test('are all seen clean within two seconds of a Ctrl-C', { timeout: 600_000, retry: 0 }, async () => {
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
    expect(Math.max(...rounds.map(({ chaos }) => chaos))).toBeLessThan(limitMs);
  });
});
