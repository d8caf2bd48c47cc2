import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CleanupStack } from '../../src/core/cleanup-stack.ts';
import type { LabInfo } from '../../src/lab/lab.ts';
import { findPorts } from '../../src/lab/ports.ts';
import { signalProcess } from '../../src/lab/processes.ts';
import type { LabOptions } from '../../src/lab/start.ts';
import { type BuiltLab, buildLab } from '../support/lab-build.ts';
import { footprint, nothing, type Traces, tracesOf } from '../support/lab-footprint.ts';
import { postmasterPid, processTree, serverChild } from '../support/lab-servers.ts';

const run = promisify(execFile);
const linux = process.platform === 'linux';
const root = process.getuid?.() === 0;
if (!linux) process.stderr.write('skipped: what is left behind can only be counted through /proc\n');
if (!root) process.stderr.write('skipped where it needs root: changing to an unprivileged account\n');

let built: BuiltLab;
beforeAll(async () => {
  built = await buildLab();
});
afterAll(async () => {
  await built[Symbol.asyncDispose]();
});

const limit = (): AbortSignal => AbortSignal.timeout(90_000);

/** A lab that goes with the test, whatever becomes of it. */
async function startLab(cleanup: CleanupStack, options: LabOptions = {}): Promise<LabInfo> {
  const lab = await built.start.startLab({ owner: { pid: process.pid, lingerMs: 0 }, ...options }, limit());
  cleanup.defer(async () => {
    if (existsSync(lab.dir)) await built.stop.stopLab(lab.id, limit());
  });
  return lab;
}

function spawnOwner(cleanup: CleanupStack): ChildProcess & { readonly pid: number } {
  const owner = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  cleanup.defer(() => owner.kill('SIGKILL'));
  if (owner.pid === undefined) throw new Error('no process');
  return Object.assign(owner, { pid: owner.pid });
}

async function sells(lab: LabInfo): Promise<number> {
  return (await fetch(lab.urls.shop, { method: 'POST', signal: AbortSignal.timeout(5_000) })).status;
}

const labFolders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('chaos-lab-'));

async function expectGone(traces: Traces, within: number): Promise<void> {
  await expect.poll(() => footprint(traces), { timeout: within, interval: 100 }).toEqual(nothing);
}

describe.runIf(linux)('the life of a lab', () => {
  test('two labs run side by side and go down independently', async () => {
    await using cleanup = new CleanupStack();
    const [one, two] = await Promise.all([startLab(cleanup), startLab(cleanup, { replication: 'async' })]);
    const traces = tracesOf(one);

    await built.stop.stopLab(one.id, limit());

    expect(footprint(traces)).toEqual(nothing);
    expect(await sells(two)).toBe(201);
    const status = await built.status.labStatus(two.id, limit());
    expect(status.databases[0]?.replication).toBe('db-b streaming (async)');
  });

  test('goes down by itself when its owner was killed, but only after the linger time', async () => {
    await using cleanup = new CleanupStack();
    const owner = spawnOwner(cleanup);
    const lab = await startLab(cleanup, { owner: { pid: owner.pid, lingerMs: 2_500 } });
    const traces = tracesOf(lab);

    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const lingering = await sells(lab);

    expect(lingering).toBe(201);
    await expectGone(traces, 10_000);
  });

  test('stays when it was adopted before its owner died', async () => {
    await using cleanup = new CleanupStack();
    const owner = spawnOwner(cleanup);
    const lab = await startLab(cleanup, { owner: { pid: owner.pid, lingerMs: 0 } });

    expect((await built.lab.adoptLab(lab.id)).ownerPid).toBeUndefined();
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    await new Promise((resolve) => setTimeout(resolve, 2_000));

    expect(await sells(lab)).toBe(201);
  });

  test('is cleared away from outside after its keeper was killed, with the memory of a server whose folder was moved', async () => {
    await using cleanup = new CleanupStack();
    const lab = await startLab(cleanup);
    const traces = tracesOf(lab);
    signalProcess(postmasterPid(lab, 'db-a'), 'SIGKILL');
    const data = join(lab.dir, 'hosts', 'db-a', 'data');
    renameSync(data, `${data}.old`);
    rmSync(join(`${data}.old`, 'postmaster.pid'));
    signalProcess(lab.keeperPid ?? 0, 'SIGKILL');
    await expect.poll(async () => (await built.lab.findLab(lab.id)).state, { timeout: 2_000 }).toBe('dead');
    const left = footprint(traces);

    const report = await built.stop.stopLab(lab.id, limit());

    expect(left.processes.length).toBeGreaterThan(0);
    expect(left.segments.length).toBe(2);
    expect(report).toMatchObject({ keeper: 'gone', segments: [expect.any(Number)] });
    expect(footprint(traces)).toEqual(nothing);
  });

  test('is cleared away by the next start after its keeper was killed', async () => {
    await using cleanup = new CleanupStack();
    const dead = await startLab(cleanup);
    const traces = tracesOf(dead);
    signalProcess(dead.keeperPid ?? 0, 'SIGKILL');
    await expect.poll(async () => (await built.lab.findLab(dead.id)).state, { timeout: 2_000 }).toBe('dead');

    const next = await startLab(cleanup);

    // The next one may have been given the very ports that became free.
    const { listening, ...left } = footprint(traces);
    expect(left).toEqual({ processes: [], segments: [], folder: false });
    expect(tracesOf(next).basePort === traces.basePort ? [] : listening).toEqual([]);
  });

  test('goes down completely with stopped processes, a server started over SSH and a command left running on a host', async () => {
    await using cleanup = new CleanupStack();
    const lab = await startLab(cleanup);
    const [file = '', ...args] = await built.lab.labSshCommand(lab.id, 'db-a');
    const { stdout: start } = await run('sed', ['-n', '/db-a:$/,/db-b:$/ s/^ *start: //p', lab.environmentFile]);
    signalProcess(postmasterPid(lab, 'db-a'), 'SIGKILL');
    // As on any host: not before the killed server's children have noticed and let go of its memory.
    await expect
      .poll(() => run(file, [...args, String(JSON.parse(start))]).then(() => 'started', String), { timeout: 10_000 })
      .toBe('started');
    await run(file, [...args, 'nohup sleep 1000 >/dev/null 2>&1 </dev/null &']);
    // It comes and goes while its primary is away.
    const receiver = (): number => serverChild(postmasterPid(lab, 'db-b'), 'walreceiver');
    await expect.poll(receiver, { timeout: 10_000 }).toBeGreaterThan(1);
    signalProcess(receiver(), 'SIGSTOP');
    signalProcess(postmasterPid(lab, 'db-a'), 'SIGSTOP');
    signalProcess(Number(readFileSync(join(lab.dir, 'hosts', 'checkout-1', 'run', 'checkout.pid'), 'utf8')), 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 600));
    const traces = tracesOf(lab);

    const report = await built.stop.stopLab(lab.id, limit());

    expect(traces.segments.length).toBe(3);
    expect(report.keeper).toBe('stopped');
    expect(footprint(traces)).toEqual(nothing);
  });

  test('refuses orders while the database hangs, says so in its status, and sells again afterwards', async () => {
    await using cleanup = new CleanupStack();
    const lab = await startLab(cleanup);
    const server = processTree(postmasterPid(lab, 'db-a'));
    for (const pid of server) signalProcess(pid, 'SIGSTOP');

    const sales = await Promise.all(Array.from({ length: 40 }, () => sells(lab)));
    const hung = await built.status.labStatus(lab.id, limit());
    for (const pid of server) signalProcess(pid, 'SIGCONT');

    expect(new Set(sales)).toEqual(new Set([503]));
    expect(hung).toMatchObject({ healthy: false, databases: [{ role: 'down' }, { role: 'standby' }] });
    await expect.poll(() => sells(lab), { timeout: 5_000 }).toBe(201);
  });

  test('goes down when its keeper was stopped and does not answer', { timeout: 60_000 }, async () => {
    await using cleanup = new CleanupStack();
    const lab = await startLab(cleanup);
    const traces = tracesOf(lab);
    signalProcess(lab.keeperPid ?? 0, 'SIGSTOP');

    expect((await built.status.labStatus(lab.id, limit())).healthy).toBe(false);
    await built.stop.stopLab(lab.id, limit());

    expect(footprint(traces)).toEqual(nothing);
  });

  test.each([50, 300, 700, 1_200])('leaves nothing when the start is aborted after %i ms', async (after) => {
    const before = labFolders();

    await expect(built.start.startLab({}, AbortSignal.timeout(after))).rejects.toMatchObject({ name: 'TimeoutError' });

    expect(labFolders().filter((name) => !before.includes(name))).toEqual([]);
  });
});

describe.runIf(linux)('what a lab needs', () => {
  test('a taken port is named, with the way out', async () => {
    const blocker = createServer();
    const base = await findPorts();
    blocker.listen(base + 3, '127.0.0.1');
    await once(blocker, 'listening');

    const attempt = built.start.startLab({ basePort: base }, limit()).finally(() => blocker.close());

    await expect(attempt).rejects.toMatchObject({
      code: 'CHAOS_LAB',
      message: `port ${base + 3} (SSH of db-a) is taken`,
      hint: expect.stringContaining('another base port'),
    });
  });

  test('two starts on the same base port: one lab, one clear refusal', async () => {
    await using cleanup = new CleanupStack();
    const base = await findPorts();

    const outcomes = await Promise.allSettled([startLab(cleanup, { basePort: base }), startLab(cleanup, { basePort: base })]);

    const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => outcome.reason as Error);
    expect(refused).toMatchObject([{ code: 'CHAOS_LAB', message: expect.stringMatching(/port .*taken/) }]);
  });

  test('a folder without PostgreSQL is refused, and what was tried is told', async () => {
    const before = labFolders();

    await expect(built.start.startLab({ postgres: '/usr/share' }, limit())).rejects.toMatchObject({
      code: 'CHAOS_LAB',
      message: expect.stringContaining('initdb, pg_ctl, postgres not in /usr/share'),
      hint: expect.stringContaining('npm install'),
    });
    expect(labFolders().filter((name) => !before.includes(name))).toEqual([]);
  });

  test('the system PostgreSQL does as well', async (context) => {
    const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : [];
    context.skip(versions.length === 0, 'no PostgreSQL below /usr/lib/postgresql');
    await using cleanup = new CleanupStack();

    const lab = await startLab(cleanup, { postgres: 'system' });

    expect(versions).toContain(String(Number.parseInt(lab.postgresVersion, 10)));
    expect(await sells(lab)).toBe(201);
    const traces = tracesOf(lab);
    await built.stop.stopLab(lab.id, limit());
    expect(footprint(traces)).toEqual(nothing);
  });

  test.runIf(root)('no root: an unprivileged user starts and stops one', async () => {
    const program = `
      const { startLab } = await import(${JSON.stringify(join(built.folder, 'lab/start.js'))});
      const { stopLab } = await import(${JSON.stringify(join(built.folder, 'lab/stop.js'))});
      const { labStatus } = await import(${JSON.stringify(join(built.folder, 'lab/status.js'))});
      const signal = AbortSignal.timeout(60000);
      const lab = await startLab({ owner: { pid: process.pid, lingerMs: 0 } }, signal);
      const { healthy } = await labStatus(lab.id, signal);
      const report = await stopLab(lab.id, signal);
      console.log(JSON.stringify({ dir: lab.dir, healthy, keeper: report.keeper }));`;

    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { uid: 65_534, gid: 65_534, cwd: '/', env: {} });

    const result = JSON.parse(stdout) as { dir: string; healthy: boolean; keeper: string };
    expect(result).toMatchObject({ healthy: true, keeper: 'stopped' });
    expect(existsSync(result.dir)).toBe(false);
  });

  test.runIf(root)('a temporary folder that PostgreSQL’s account cannot reach is refused with the way out', async () => {
    const hidden = mkdtempSync(join(tmpdir(), 'chaos-hidden-'));
    chmodSync(hidden, 0o700);
    const program = `
      const { startLab } = await import(${JSON.stringify(join(built.folder, 'lab/start.js'))});
      await startLab({}, AbortSignal.timeout(60000)).catch((error) => console.log(error.code, error.message, '|', error.hint));`;

    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { env: { ...process.env, TMPDIR: hidden } });
    rmSync(hidden, { recursive: true });

    expect(stdout).toMatch(/^CHAOS_LAB the folder .* cannot be reached by the unprivileged account nobody \| set TMPDIR/);
  });
});
