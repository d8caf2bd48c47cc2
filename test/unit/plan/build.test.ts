import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parseEnvironment } from '../../../src/environment/load.ts';
import { type EnvironmentModel, resolveEnvironment } from '../../../src/environment/resolve.ts';
import { loadExperiment } from '../../../src/experiment/load.ts';
import { faultRegistry } from '../../../src/faults/registry.ts';
import { environmentShape } from '../../../src/lab/lab-files.ts';
import { type BuiltPlan, buildPlan } from '../../../src/plan/build.ts';
import { planHash } from '../../../src/plan/hash.ts';
import { Plan, type PlanDraft } from '../../../src/plan/plan.ts';
import { probeRegistry } from '../../../src/probes/registry.ts';

const shipped = readFileSync(join(import.meta.dirname, '../../../experiments/db-failover.yaml'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'chaos-test-plan-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function environment(change: (text: string) => string = (text) => text): EnvironmentModel {
  const parsed = parseEnvironment(change(environmentShape()), 'lab.yaml', probeRegistry);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics));
  return resolveEnvironment(parsed.value);
}

function build(text: string, place: EnvironmentModel = environment(), primary = 'db-a'): Promise<BuiltPlan> {
  const path = join(folder, 'db-failover.yaml');
  writeFileSync(path, text);
  const file = loadExperiment(path, faultRegistry);
  if (!file.ok) throw new Error(JSON.stringify(file.diagnostics));
  const hosts = place.hosts.map((host) =>
    host.groups.includes('db') ? { ...host, roles: [host.id === primary ? 'db-primary' : 'db-standby'] } : host,
  );
  return buildPlan({
    file: file.value,
    shownFile: 'experiments/db-failover.yaml',
    environment: place,
    hosts,
    faults: faultRegistry,
    probes: probeRegistry,
  });
}

function draft(built: BuiltPlan): PlanDraft {
  if (!built.ok) throw new Error(JSON.stringify(built.diagnostics));
  return built.draft;
}

function messages(built: BuiltPlan): string[] {
  return built.ok ? [] : built.diagnostics.map((one) => `${one.line}:${one.column} ${one.summary}`);
}

test('a plan is plain data that its own schema accepts', async () => {
  const made = draft(await build(shipped));

  expect(Plan.parse(JSON.parse(JSON.stringify({ ...made, guards: [], hash: planHash(made) })))).toMatchObject({ version: 1 });
});

test('aims at the host that holds the role now, not at the one of a file', async () => {
  expect(draft(await build(shipped, environment(), 'db-a')).steps[0]).toMatchObject({ targets: ['db-a'] });
  expect(draft(await build(shipped, environment(), 'db-b')).steps[0]).toMatchObject({ targets: ['db-b'] });
});

test('connects to the hosts that operations run on and to no others', async () => {
  const made = draft(await build(shipped));

  expect(made.hosts.map((host) => host.id)).toEqual(['db-a', 'db-b']);
  expect(made.databases.map((database) => database.name)).toEqual(['orders']);
});

test('starts the probes of its SLOs and the ledger of the database it breaks', async () => {
  expect(draft(await build(shipped)).probes.map((probe) => probe.name)).toEqual(['checkout', 'orders-ledger']);
});

test('refuses to promise lost writes where no ledger could measure them', async () => {
  const without = environment((text) => text.replace(/^ {2}orders-ledger:.*\n/m, ''));

  const built = await build(shipped, without);

  expect(messages(built)).toContainEqual(
    expect.stringMatching(/^\d+:\d+ lostWrites is measured by a write ledger, and the environment has none/),
  );
  expect(messages(built)).toHaveLength(2);
});

test('tells a selection without a host at its place', async () => {
  const built = await build(shipped.replace('role: db-primary', 'role: db-primry'));

  expect(messages(built)).toEqual([expect.stringContaining('no host holds the role "db-primry"')]);
});

test('equal plans have equal hashes, and any change of target, command or limit changes it', async () => {
  const hash = planHash(draft(await build(shipped)));

  expect(planHash(draft(await build(shipped)))).toBe(hash);
  expect(planHash(draft(await build(shipped, environment(), 'db-b')))).not.toBe(hash);
  expect(
    planHash(
      draft(
        await build(
          shipped,
          environment((text) => text.replace('-m fast', '-m smart')),
        ),
      ),
    ),
  ).not.toBe(hash);
  expect(planHash(draft(await build(shipped.replace('wait: 30s', 'wait: 31s'))))).not.toBe(hash);
});

test('no password stands in a plan, only its reference', async () => {
  const text = JSON.stringify(draft(await build(shipped)));

  expect(text).toContain('${file:/');
  expect(text).not.toMatch(/password":"(?!\$\{)/);
});
