import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type ExpectStatic, test, vi } from 'vitest';
import { repository } from '../support/cli.ts';
import { machineFootprint, remainingMemory, sharedMemoryIn } from '../support/e2e-machine.ts';
import { journalOf, TempProject } from '../support/e2e-project.ts';
import { footprint, nothing, type Traces, tracesOf } from '../support/lab-footprint.ts';

const linux = process.platform === 'linux';
if (!linux) process.stderr.write('skipped: what is left behind can only be counted through /proc\n');

/** Ports and memory of the lab that the run started for itself; throws until it is up. */
function tracesOfLab(place: TempProject): Traces {
  const [folder = ''] = place.labFolders();
  const dir = join(place.tmp, folder);
  const { id, basePort, state } = JSON.parse(readFileSync(join(dir, 'lab.json'), 'utf8')) as {
    id: string;
    basePort: number;
    state: string;
  };
  if (state !== 'up') throw new Error(`the lab is ${state}`);
  return tracesOf({ id, dir, hosts: [{ sshPort: basePort }] });
}

/** What the journal's write ledger came to; `undefined` where the experiment has none. */
function lostWrites(folder: string): number | undefined {
  const settled = journalOf(folder).find((event) => event.type === 'ledger.settled');
  return settled?.type === 'ledger.settled' ? settled.result.lost : undefined;
}

interface Shipped {
  readonly name: string;
  readonly lost: number | undefined;
}

async function runAsShipped(place: TempProject, { name, lost }: Shipped, time: number, expect: ExpectStatic): Promise<void> {
  const reports = join(place.dir, `${name}-${time}`);
  const before = machineFootprint(place.tmp);

  const memory = new Set<string>();
  const watch = setInterval(() => {
    for (const one of sharedMemoryIn(place.tmp)) memory.add(one);
  }, 1_000);
  const running = place.chaos(['run', name, '--reports', reports], { cwd: repository }).finally(() => clearInterval(watch));
  const traces = await vi.waitFor(() => tracesOfLab(place), { timeout: 75_000, interval: 500 });
  const run = await running;

  process.stdout.write(`${name}, time ${time}: ${run.seconds.toFixed(1)} s\n`);
  expect(run, run.stderr).toMatchObject({ exitCode: 0 });
  const [folder = '', ...others] = place.runFolders(reports).map((found) => join(reports, found));
  expect(others).toEqual([]);
  const report = readFileSync(join(folder, 'report.md'), 'utf8');
  expect(report).toContain('held');
  expect(readdirSync(folder).filter((file) => file.endsWith('.svg')).length).toBeGreaterThan(0);
  for (const [, image = ''] of report.matchAll(/!\[[^\]]*\]\(([^)]+\.svg)\)/g)) expect(existsSync(join(folder, image))).toBe(true);
  const verdict = journalOf(folder).find((event) => event.type === 'verdict.reached');
  expect(verdict).toMatchObject({ outcome: 'completed', verdict: 'held', rollback: 'clean' });
  expect(lostWrites(folder)).toBe(lost);
  expect(run.seconds).toBeLessThan(90);
  expect(footprint(traces)).toEqual(nothing);
  expect(machineFootprint(place.tmp)).toEqual(before);
  // At least that of the two database servers, else nothing was watched.
  expect(memory.size).toBeGreaterThanOrEqual(2);
  expect(remainingMemory(memory)).toEqual([]);
}

async function once(shipped: Shipped, expect: ExpectStatic): Promise<void> {
  await using place = new TempProject();
  await runAsShipped(place, shipped, 1, expect);
}

async function twice(shipped: Shipped, expect: ExpectStatic): Promise<void> {
  await using place = new TempProject();
  for (const time of [1, 2]) await runAsShipped(place, shipped, time, expect);
}

const timeout = 330_000;

describe.runIf(linux)('holds without any preparation, twice in a row, reports, and leaves the machine as it was', () => {
  // It takes the cores from everything else, so it is alone.
  test('cpu-saturation, once', { timeout }, ({ expect }) => once({ name: 'cpu-saturation', lost: undefined }, expect));

  // These use little of the machine: side by side they save minutes.
  test.concurrent('db-failover, twice', { timeout }, ({ expect }) => twice({ name: 'db-failover', lost: 0 }, expect));
  test.concurrent('db-switchover, once', { timeout }, ({ expect }) => once({ name: 'db-switchover', lost: 0 }, expect));
  test.concurrent('checkout-kill, once', { timeout }, ({ expect }) => once({ name: 'checkout-kill', lost: undefined }, expect));

  // What they leave is what the others leave.
  test.concurrent.for(['network-delay', 'service-down', 'log-moved'])('%s, once', { timeout }, (name, { expect }) =>
    once({ name, lost: undefined }, expect),
  );
});

test.concurrent.for([
  ['dns-outage', 'needs root'],
  ['blade-cpu', 'there is no blade command'],
])('%s, which the lab cannot do, is refused there before anything is changed', { timeout }, async ([name = '', why = ''], { expect }) => {
  await using place = new TempProject();

  const run = await place.chaos(['run', name, '--reports', join(place.dir, name)], { cwd: repository });

  expect(run, run.stderr).toMatchObject({ exitCode: 3 });
  expect(run.stderr).toContain(why);
  expect(run.stderr).not.toContain('shell inject-');
});
