/** What every fault must keep to, whatever it does: one suite over the registry, with the real executor and real targets. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import type { JsonObject } from '../../src/core/json.ts';
import { faultRegistry } from '../../src/faults/registry.ts';
import { FaultRun, type FaultSetting, planStep } from '../support/fault-run.ts';
import { shells } from '../support/fuse-host.ts';
import { binaries, PostgresCluster } from '../support/postgres-cluster.ts';

const root = join(import.meta.dirname, '../..');
const kinds = [...faultRegistry.keys()];

/** Parameters of faults that no shipped experiment can use: what they do is up to its author. */
const fixtures: Readonly<Record<string, JsonObject>> = {
  chaosblade: { create: ['cpu', 'fullload'] },
  'clock-skew': { offset: '+5m' },
  command: { inject: 'echo broken >state', verify: 'grep -q broken state', revert: 'rm -f state', check: '[ ! -e state ]' },
  'container-kill': { container: 'shop-1' },
  'container-pause': { container: 'shop-1', tool: 'podman' },
  'disk-fill': { path: "/var/lib/it's here", percent: 90 },
  'disk-io': { path: '/var/lib/app' },
  'dns-failure': {},
  'dns-spoof': { names: { 'db.shop.example': '10.0.0.9' } },
  'host-reboot': { how: 'hard' },
  'memory-pressure': { leaveFree: '256MB' },
  'network-bandwidth': { rate: '1mbit' },
  'network-corrupt': { percent: 1 },
  'network-delay': { time: '100ms', jitter: '10ms', to: ['10.0.0.0/24', 'db.example', 'fd00::1'], protocol: 'tcp', ports: [5432] },
  'network-duplicate': { percent: 1 },
  'network-loss': { percent: 10, correlation: 25 },
  'network-partition': { to: ['10.0.0.7'], protocol: 'tcp', ports: [5432], how: 'reject' },
  'network-reorder': { percent: 25 },
  'process-pause': { match: "^/usr/bin/app --name='it'" },
  'service-kill': { unit: 'nginx' },
  'service-stop': { unit: 'app@one.service' },
};

/** Faults that need a host of their own, root and a kernel with what they use: their life is that of the system tests. */
const elsewhere = kinds.filter((kind) => /^(?:network|service|dns|clock|container|host)-|^chaosblade$/.test(kind));
console.warn(`skipped: the lives of ${elsewhere.join(', ')} need hosts of their own (npm run test:system)`);

interface Step {
  readonly fault?: string;
  readonly with?: JsonObject;
}

/** The `with` of each step in the shipped experiments that uses `kind`. */
function examples(kind: string): JsonObject[] {
  const files = readdirSync(join(root, 'experiments')).filter((name) => name.endsWith('.yaml'));
  const steps = files.flatMap((name) => (parse(readFileSync(join(root, 'experiments', name), 'utf8')) as { method?: Step[] }).method ?? []);
  const shipped = steps.flatMap((step) => (step.fault === kind ? [step.with ?? {}] : []));
  const fixture = fixtures[kind];
  return fixture === undefined ? shipped : [...shipped, fixture];
}

test('every folder of src/faults is registered under its name, and nothing else is', () => {
  const folders = readdirSync(join(root, 'src/faults')).filter((name) => existsSync(join(root, 'src/faults', name, 'index.ts')));
  const shared = ['host-fault'];

  expect([...kinds, ...shared].toSorted()).toEqual(folders.toSorted());
  for (const [kind, definition] of faultRegistry) expect(definition.kind).toBe(kind);
});

describe.each(kinds)('%s', (kind) => {
  const definition = faultRegistry.get(kind);
  if (definition === undefined) throw new Error(`no fault ${kind}`);

  test('describes every parameter and refuses unknown ones', () => {
    const schema = z.toJSONSchema(definition.parameters, { io: 'input' }) as {
      additionalProperties?: unknown;
      properties?: Record<string, { description?: string }>;
    };

    expect(schema.additionalProperties).toBe(false);
    for (const [name, property] of Object.entries(schema.properties ?? {})) expect(property.description, name).toMatch(/\w{3}/);
    expect(definition.parameters.safeParse({ ...examples(kind)[0], unheardOf: 1 }).success).toBe(false);
  });

  test('has a valid example, and parsing what was parsed changes nothing', () => {
    expect(examples(kind)).not.toEqual([]);
    for (const example of examples(kind)) {
      const once = definition.parameters.parse(example);
      expect(definition.parameters.parse(once)).toEqual(once);
    }
  });

  test.each(shells.filter(({ path }) => path !== undefined))('has shell texts that $name can read', async ({ name, path = '' }) => {
    for (const parameters of examples(kind)) {
      const { operations } = await planStep(definition, plannedSetting(kind, parameters));
      for (const { id, text } of operations.filter(({ via }) => via === 'shell')) {
        const args = name === 'busybox' ? ['sh', '-n'] : ['-n'];
        const { stderr } = spawnSync(path, args, { input: text.replaceAll(/@[a-z-]+@/g, 'x'), encoding: 'utf8' });
        expect(`${id}: ${stderr}`).toBe(`${id}: `);
      }
    }
  });

  test('says what it measures', () => {
    for (const [name, measure] of Object.entries(definition.measures)) expect(measure.description, name).toMatch(/\w{3}/);
  });

  test('plans operations with unique ids, a time limit, and a way back for every change before the point of no return', async () => {
    for (const parameters of examples(kind)) {
      const { operations } = await planStep(definition, plannedSetting(kind, parameters));
      expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length);
      for (const operation of operations) {
        expect(operation.timeoutMs, operation.id).toBeGreaterThan(0);
        expect(operation.purpose, operation.id).not.toBe('');
        if (operation.stage === 'prepare') expect(operation.changes, operation.id).toBe(false);
        if (operation.stage === 'inject' && operation.changes && operation.pointOfNoReturn !== true)
          expect(operation.undo, operation.id).toBeTruthy();
        if (operation.via === 'sql') expect(operation.database, operation.id).toBeTruthy();
        if (operation.via === 'copy') expect(operation.sink, operation.id).toBeDefined();
      }
    }
  });

  test.skipIf(elsewhere.includes(kind) || (kind === 'db-failover' && binaries.embedded === undefined))(
    'lives its life: reads, changes, is proved, is undone twice',
    { timeout: 90_000 },
    async () => {
      await using scene = await realScene(kind);
      await using run = new FaultRun(definition, scene.setting);

      await run.prepare();
      const prepared = [...run.ran()];
      await run.inject();
      const effect = await run.verify();
      await using successor = run.successor();
      await successor.revert();
      const once = await successor.verifyReverted();
      await successor.revert();
      const twice = await successor.verifyReverted();

      const changing = new Set(run.step.operations.filter(({ changes }) => changes).map(({ id }) => id));
      expect(prepared.filter((id) => changing.has(id))).toEqual([]);
      expect(effect, JSON.stringify(effect)).toMatchObject({ effective: true });
      expect(once, JSON.stringify(once)).toMatchObject({ clean: true });
      expect(twice, JSON.stringify(twice)).toMatchObject({ clean: true });
      expect(effect.evidence).not.toEqual([]);
      expect(once.evidence).not.toEqual([]);
      for (const name of Object.keys({ ...effect.measures, ...once.measures }))
        expect(definition.measures[name]?.source, name).toBe('fault');
    },
  );
});

const node = { address: '127.0.0.1', binDir: '/usr/bin', start: 'true', stop: 'true' } as const;
const cluster = {
  name: 'orders',
  engine: 'postgresql',
  database: 'shop',
  admin: { user: 'admin' },
  replication: { user: 'replicator' },
  nodes: [
    { ...node, host: 'one', port: 5432, dataDir: '/data/one', fence: 'true', unfence: 'true' },
    { ...node, host: 'two', port: 5433, dataDir: '/data/two' },
  ],
} as const;

function plannedSetting(_kind: string, parameters: JsonObject): FaultSetting {
  const hosts = ['one', 'two'].map((id) => ({ id, home: '/' }));
  return { hosts, databases: [{ ...cluster, nodes: [...cluster.nodes] }], targets: ['one'], parameters };
}

/** Parameters with which a fault can act for real on this machine, in a home of its own. */
const scenes: Readonly<Record<string, JsonObject>> = {
  'cpu-saturation': { percent: 20, cores: 1, burner: 'built-in' },
  'disk-fill': { path: tmpdir(), size: '64MB' },
  'disk-io': { path: tmpdir(), size: '8MB', workers: 1 },
  'memory-pressure': { size: '200MB' },
  'process-pause': { pidFile: 'run/service.pid' },
  'process-kill': { pidFile: 'run/service.pid', comesBackWithin: '10s' },
};

interface RealScene extends AsyncDisposable {
  readonly setting: FaultSetting;
}

/** Something real for the fault to act on. */
async function realScene(kind: string): Promise<RealScene> {
  if (kind === 'db-failover') {
    const database = await PostgresCluster.start({ bin: binaries.embedded ?? '' });
    const setting = { hosts: database.hosts, databases: [database.database], targets: ['db-a'], parameters: { mode: 'crash' } };
    return { setting, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
  }
  const home = mkdtempSync(join(tmpdir(), 'chaos-test-fault-'));
  const parameters = scenes[kind] ?? fixtures[kind];
  const supervisor = kind.startsWith('process-') ? supervise(home) : undefined;
  if (supervisor !== undefined) await supervisor.ready;
  return {
    // Its fuse in its home: other files arm on this machine too.
    setting: { hosts: [{ id: 'one', home, env: { CHAOS_LAB_HOST: 'test' } }], targets: ['one'], parameters: parameters ?? {} },
    [Symbol.asyncDispose]: async () => {
      supervisor?.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** A service that comes back 300 ms after it has died. */
function supervise(home: string): { readonly ready: Promise<void>; stop(): void } {
  let stopped = false;
  let child: ReturnType<typeof spawn> | undefined;
  mkdirSync(join(home, 'run'));
  const start = (): void => {
    if (stopped) return;
    child = spawn('sleep', ['600'], { stdio: 'ignore' });
    writeFileSync(join(home, 'run/service.pid'), `${child.pid}\n`);
    child.once('exit', () => setTimeout(start, 300));
  };
  start();
  return {
    ready: Promise.resolve(),
    stop: () => {
      stopped = true;
      child?.kill('SIGKILL');
    },
  };
}
