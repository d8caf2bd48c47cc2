/** The fuse as a real script under every shell of this machine: what arms it, what makes it revert, and what it leaves. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { newRunId } from '../../../src/core/ids.ts';
import { fuseInput, parseFuses } from '../../../src/faults/fuse/answers.ts';
import { armText } from '../../../src/faults/fuse/script.ts';
import { revertedAlone } from '../../../src/journal/fold-fuses.ts';
import { breaking, FuseHost, shells } from '../../support/fuse-host.ts';

const linux = process.platform === 'linux';
for (const { name, path } of shells) if (path === undefined) console.warn(`skipped: ${name} is not installed`);

/** Seconds until the fault is gone. */
async function goneAfter(host: FuseHost): Promise<number> {
  const from = performance.now();
  await vi.waitFor(() => expect(host.broken).toBe(false), { timeout: 20_000, interval: 20 });
  return (performance.now() - from) / 1_000;
}

describe.runIf(linux).each(shells.filter(({ path }) => path !== undefined))('under $name', ({ path = '' }) => {
  test.concurrent('is armed, injects, reverts when it is pulled, and leaves nothing', () => {
    using host = new FuseHost(path);
    const id = FuseHost.id(newRunId());

    expect(host.arm(id)).toMatchObject({ code: 0, out: expect.stringContaining(`armed ${id}`) as string });
    expect(host.inject(id)).toEqual({ code: 0, out: `injected ${id}` });
    const [during] = [host.broken && host.running];
    expect(host.pull(id)).toEqual({ code: 0, out: 'reverted: it was asked to' });
    expect(host.pull(id)).toEqual({ code: 0, out: 'already reverted: it was asked to' });
    expect(revertedAlone(host.pull(id).out)).toBeUndefined();

    expect(during).toBe(true);
    expect([host.broken, host.running, host.undone]).toEqual([false, false, 1]);
    expect(host.forget(id)).toEqual({ code: 0, out: `forgotten ${id}` });
    expect(host.residue(id)).toEqual([]);
    expect(existsSync(join(host.home, '.chaos'))).toBe(false);
    expect(host.pull(id)).toEqual({ code: 3, out: 'absent' });
  });

  test.concurrent('reverts at once when the connection that holds it ends', async () => {
    using host = new FuseHost(path);
    const id = FuseHost.id(newRunId());
    host.arm(id);
    const holder = host.hold(id);
    holder.stdin.write('renew\n');
    const [answer] = (await once(holder.stdout, 'data')) as [Buffer];
    host.inject(id);

    holder.stdin.end();

    expect(answer.toString()).toBe('ok\n');
    expect(await goneAfter(host)).toBeLessThan(3);
    await vi.waitFor(() => expect(host.pull(id).out).toBe('already reverted: the connection to the runner ended'));
    host.forget(id);
    expect(host.residue(id)).toEqual([]);
  });

  test.concurrent('reverts when nothing is heard for the lease, and ends the half-open connection', async () => {
    using host = new FuseHost(path);
    const id = FuseHost.id(newRunId());
    host.arm(id, { leaseS: 3 });
    const holder = host.hold(id);
    holder.stdin.write('renew\n');
    await once(holder.stdout, 'data');
    host.inject(id);

    const after = await goneAfter(host);

    expect(after).toBeGreaterThan(1);
    expect(after).toBeLessThan(8);
    await vi.waitFor(() => expect(host.pull(id).out).toBe('already reverted: no sign of life for 3 s'));
    expect(revertedAlone(host.pull(id).out)).toBe('no sign of life for 3 s');
    if (holder.exitCode === null && holder.signalCode === null) await once(holder, 'exit');
    host.forget(id);
    expect(host.residue(id)).toEqual([]);
  });
});

describe.runIf(linux)('a fuse', () => {
  test.concurrent('reverts at its deadline though it is held', async () => {
    using host = new FuseHost();
    const id = FuseHost.id(newRunId());
    host.arm(id, { deadlineS: 4 });
    const holder = host.hold(id);
    const renewing = setInterval(() => holder.stdin.write('renew\n'), 300);
    holder.stdin.on('error', () => undefined);
    const answers: string[] = [];
    holder.stdout.on('data', (chunk: Buffer) => answers.push(...chunk.toString().trim().split('\n')));
    host.inject(id);

    expect(await goneAfter(host)).toBeLessThan(9);
    clearInterval(renewing);
    expect(answers.length).toBeGreaterThan(3);
    expect(host.pull(id).out).toBe('already reverted: its deadline passed');
    host.forget(id);
  });

  test.concurrent('lets no second run onto the target, and says whose fault is there', () => {
    using host = new FuseHost();
    const [first, second] = [newRunId(), newRunId()];
    host.arm(FuseHost.id(first));

    expect(host.arm(FuseHost.id(second))).toEqual({ code: 3, out: `refused: run ${first} has a fuse here (armed)` });
    expect(host.arm(FuseHost.id(first, 2)).code).toBe(0);
    expect(host.arm(FuseHost.id(first))).toMatchObject({ code: 3, out: `refused: there is a fuse ${FuseHost.id(first)} already` });
    expect(host.residue(second)).toEqual([]);
    for (const nth of [1, 2]) {
      host.pull(FuseHost.id(first, nth));
      host.forget(FuseHost.id(first, nth));
    }
    expect(host.residue(first)).toEqual([]);
  });

  test.concurrent('injects nothing without a living watcher, nor after it reverted', () => {
    using host = new FuseHost();
    const [unwatched, late] = [FuseHost.id(newRunId()), FuseHost.id(newRunId())];
    host.arm(unwatched);
    process.kill(host.pidOf(unwatched, 'watcher'), 'SIGKILL');
    const withoutWatcher = host.inject(unwatched);
    host.pull(unwatched);
    host.forget(unwatched);
    host.arm(late);
    host.pull(late);

    expect(withoutWatcher).toEqual({ code: 3, out: 'refused: the watcher is dead' });
    expect(host.inject(late)).toEqual({ code: 3, out: 'refused: reverted' });
    expect(host.broken).toBe(false);
    host.forget(late);
  });

  test.concurrent('undoes what an injection that failed half-way did', () => {
    using host = new FuseHost();
    const id = FuseHost.id(newRunId());
    host.arm(id);

    expect(host.inject(id, `${breaking}\nexit 9`)).toEqual({ code: 5, out: 'injecting failed with exit code 9' });
    expect([host.broken, host.running]).toEqual([false, false]);
    host.forget(id);
    expect(host.residue(id)).toEqual([]);
  });

  test.concurrent('tells that it is not clean, and its watcher goes on trying', async () => {
    using host = new FuseHost();
    const id = FuseHost.id(newRunId());
    host.arm(id, { leaseS: 5 }, { undo: '[ -e "$HOME/may" ] && rm -f "$HOME/broken"' });
    host.inject(id);

    expect(host.pull(id)).toMatchObject({ code: 4, out: expect.stringContaining('not clean: undo exit 1, check exit 3') as string });
    expect(host.forget(id).code).toBe(3);
    host.write('may', '');
    await goneAfter(host);
    await vi.waitFor(() => expect(host.pull(id).out).toMatch(/^already reverted/));
    host.forget(id);
  });

  test.concurrent('is pulled by hand after watcher and holder were killed', async () => {
    using host = new FuseHost();
    const id = FuseHost.id(newRunId());
    host.arm(id);
    const holder = host.hold(id);
    holder.stdin.write('renew\n');
    await once(holder.stdout, 'data');
    host.inject(id);
    for (const who of ['watcher', 'holder'] as const) process.kill(host.pidOf(id, who), 'SIGKILL');
    const [listed] = parseFuses(host.list().out) ?? [];

    expect(listed).toMatchObject({ id, state: 'injected', watched: false, held: false, about: { fault: 'test' } });
    expect(host.pull(id)).toMatchObject({ code: 0 });
    expect([host.broken, host.running]).toEqual([false, false]);
    host.forget(id);
  });

  test.concurrent('reverts once when many pull it at the same moment', async () => {
    using host = new FuseHost();
    const id = FuseHost.id(newRunId());
    host.arm(id, {}, { undo: 'sleep 1; rm -f "$HOME/broken"; echo undone >>"$HOME/undone"' });
    host.inject(id);

    const pulls = Array.from({ length: 5 }, () => host.start(`sh "$HOME/.chaos/${id}/fuse" revert`));
    const codes = await Promise.all(pulls.map(async (pull) => ((await once(pull, 'exit')) as [number])[0]));

    expect(codes).toEqual([0, 0, 0, 0, 0]);
    expect(host.undone).toBe(1);
    host.forget(id);
  });

  test.concurrent('whose folder was removed ends what was injected, and itself', async () => {
    using host = new FuseHost();
    const id = FuseHost.id(newRunId());
    host.arm(id);
    host.inject(id);
    const before = host.running;
    host.sh('rm -rf "$HOME/.chaos"');

    await vi.waitFor(() => expect(host.residue(id)).toEqual([]), { timeout: 5_000 });
    expect([before, host.running]).toEqual([true, false]);
  });

  test.concurrent('is not armed by half an upload, by an undo that is no shell, or where nothing can be written', () => {
    using host = new FuseHost();
    const id = FuseHost.id(newRunId());
    const arm = armText(id, { leaseS: 60, deadlineS: 60, boot: false });
    const whole = fuseInput({ about: {}, undo: 'true', check: 'true' });

    expect(host.sh(arm, whole.slice(0, -8))).toMatchObject({ code: 3, out: 'refused: no room for the fuse, or it came incomplete' });
    expect(host.arm(id, {}, { undo: 'if' })).toEqual({ code: 3, out: 'refused: the undo text cannot be parsed by sh' });
    expect(host.sh(`mkdir() { return 1; }; ${arm}`, whole)).toMatchObject({
      code: 3,
      out: expect.stringContaining('no place to write') as string,
    });
    expect(host.residue(id)).toEqual([]);
    expect(existsSync(join(host.home, '.chaos'))).toBe(false);
  });
});
