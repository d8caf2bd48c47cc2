import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { LabInfo } from '../../../src/lab/lab.ts';
import { type BuiltLab, buildLab } from '../../support/lab-build.ts';
import { footprint, nothing, tracesOf } from '../../support/lab-footprint.ts';

const run = promisify(execFile);
const linux = process.platform === 'linux';
const signal = AbortSignal.timeout(60_000);
let built: BuiltLab;
let lab: LabInfo;

beforeAll(async () => {
  built = await buildLab();
  lab = await built.start.startLab({ owner: { pid: process.pid, lingerMs: 0 } }, signal);
}, 60_000);

afterAll(async () => {
  if (lab !== undefined && existsSync(lab.dir)) await built.stop.stopLab(lab.id, AbortSignal.timeout(30_000));
  await built?.[Symbol.asyncDispose]();
}, 60_000);

async function buy(): Promise<{ readonly status: number; readonly body: Record<string, string> }> {
  const response = await fetch(lab.urls.shop, { method: 'POST', signal: AbortSignal.timeout(5_000) });
  return { status: response.status, body: (await response.json()) as Record<string, string> };
}

async function ssh(host: string, command: string): Promise<string> {
  const [file = '', ...args] = await built.lab.labSshCommand(lab.id, host);
  return (await run(file, [...args, command])).stdout.trim();
}

const noSsh = await run('ssh', ['-V']).then(
  () => false,
  () => true,
);
if (noSsh) process.stderr.write('skipped where it needs OpenSSH: no `ssh` in PATH\n');

describe('a running lab', () => {
  test('says that everything is up, with one primary and a synchronous standby that streams from it', async () => {
    const status = await built.status.labStatus(lab.id, signal);

    expect(status.healthy).toBe(true);
    expect(status.databases.map((node) => [node.host, node.role])).toEqual([
      ['db-a', 'primary'],
      ['db-b', 'standby'],
    ]);
    expect(status.databases.map((node) => node.replication)).toEqual(['db-b streaming (sync)', 'streaming']);
    expect(status.emulated.length).toBeGreaterThan(3);
  });

  test('sells, and takes turns between its checkout services', async () => {
    const sales = [await buy(), await buy()];

    expect(sales.map((sale) => sale.status)).toEqual([201, 201]);
    expect(new Set(sales.map((sale) => sale.body.service))).toEqual(new Set(['checkout-1', 'checkout-2']));
  });

  test('is listed with its owner', async () => {
    expect((await built.lab.listLabs()).find((one) => one.id === lab.id)).toMatchObject({ state: 'up', ownerPid: process.pid });
  });

  test('keeps secrets in files for their owner only, and none in the environment file', () => {
    const environment = readFileSync(lab.environmentFile, 'utf8');
    const password = readFileSync(join(lab.dir, 'keys', 'admin-password'), 'utf8').trim();

    for (const name of ['admin-password', 'replication-password', 'id_ed25519', 'host-lb']) {
      expect(statSync(join(lab.dir, 'keys', name)).mode & 0o077).toBe(0);
    }
    expect(environment).not.toContain(password);
    expect(Object.keys((parse(environment) as { hosts: object }).hosts)).toEqual(lab.hosts.map((host) => host.name));
  });

  test.skipIf(noSsh)('lets OpenSSH in on every host, each with a home of its own', async () => {
    const homes = await Promise.all(lab.hosts.map((host) => ssh(host.name, 'echo "$CHAOS_LAB_HOST $HOME"; pwd')));

    expect(homes).toEqual(lab.hosts.map(({ name }) => `${name} ${lab.dir}/hosts/${name}\n${lab.dir}/hosts/${name}`));
  });

  test.skipIf(noSsh)(
    'starts a killed checkout service again under a new process id, and sells through the other one meanwhile',
    async () => {
      const before = await ssh('checkout-1', 'cat run/checkout.pid');
      // Until it is really gone it may still accept a sale and drop it, which the front door rightly does not repeat elsewhere.
      await ssh('checkout-1', `kill -9 ${before}; while kill -0 ${before} 2>/dev/null; do sleep 0.02; done`);
      const meanwhile = [await buy(), await buy(), await buy()];

      await expect.poll(() => ssh('checkout-1', 'cat run/checkout.pid'), { timeout: 5_000, interval: 100 }).not.toBe(before);
      expect(meanwhile.map((sale) => sale.status)).toEqual([201, 201, 201]);
    },
  );

  test.skipIf(noSsh)('sells again after its primary was killed and its standby promoted', async () => {
    const primary = join(lab.dir, 'hosts', 'db-a', 'data', 'postmaster.pid');
    await ssh('db-a', `kill -9 "$(head -n 1 ${primary})"`);
    const during = await buy();
    await ssh('db-b', `${readBinDir()}/pg_ctl -D "$HOME/data" -w promote`);

    await expect.poll(async () => (await buy()).body.database, { timeout: 5_000 }).toBe('db-b');
    expect(during.status).toBe(503);
  });

  test.runIf(linux)('leaves no process, port, shared memory or folder when it goes down', async () => {
    const traces = tracesOf(lab);
    const before = footprint(traces);

    await built.stop.stopLab(lab.id, signal);

    // Links to the database that is down may listen or not.
    expect(before.listening.filter((port) => port < traces.basePort + 10)).toHaveLength(9);
    expect(footprint(traces)).toEqual(nothing);
    expect(await built.lab.listLabs()).not.toContainEqual(expect.objectContaining({ id: lab.id }));
  });

  test('is unknown afterwards', async () => {
    await expect(built.stop.stopLab(lab.id, signal)).rejects.toMatchObject({ code: 'CHAOS_LAB' });
  });
});

function readBinDir(): string {
  const environment = parse(readFileSync(lab.environmentFile, 'utf8')) as {
    databases: { orders: { nodes: { 'db-b': { binDir: string } } } };
  };
  return environment.databases.orders.nodes['db-b'].binDir;
}
