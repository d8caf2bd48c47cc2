import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import type { CommandResult, RunningCommand } from '../../../src/drivers/contract.ts';
import { Leases } from '../../../src/engine/leases.ts';

const key = { target: 'web-1', operation: 'hold' };
const exited: CommandResult = {
  ended: 'exited',
  exitCode: 0,
  signal: null,
  stdout: '',
  stderr: '',
  truncated: false,
  durationMs: 1,
};

/** A held command whose other end is in the test's hands. */
function fuse(): {
  readonly command: RunningCommand;
  readonly asked: string[];
  say(line: string): void;
  end(how?: Partial<CommandResult>): void;
} {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  const asked: string[] = [];
  stdin.on('data', (chunk: Buffer) => asked.push(...chunk.toString().split('\n').filter(Boolean)));
  let end: (result: CommandResult) => void = () => undefined;
  const result = new Promise<CommandResult>((resolve) => {
    end = resolve;
  });
  return {
    command: { stdin, stdout, result },
    asked,
    say: (line) => void stdout.write(`${line}\n`),
    end: (how = {}) => end({ ...exited, ...how }),
  };
}

function leases(): { readonly held: Leases; readonly lost: string[] } {
  const lost: string[] = [];
  return { held: new Leases((target, detail) => lost.push(`${target}: ${detail}`)), lost };
}

async function holding() {
  const { held, lost } = leases();
  const other = fuse();
  const pending = held.hold(key, other.command);
  other.say('ok');
  await pending;
  return { held, lost, ...other };
}

describe('a lease', () => {
  it('is lost once when the link breaks, and nothing else happens', async () => {
    const { lost, command, end } = await holding();

    command.stdout.destroy(new Error('the connection is gone'));
    await new Promise((resolve) => setImmediate(resolve));
    end({ ended: 'lost', exitCode: null, lostBecause: 'no answer' });

    await vi.waitFor(() => expect(lost).toEqual(['web-1: the fuse is no longer held: no answer']));
  });

  it('is held from the first answer, and renewed every three seconds', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { held, asked, lost } = await holding();

    vi.advanceTimersByTime(9_100);
    await vi.waitFor(() => expect(asked).toEqual(['renew', 'renew', 'renew', 'renew']));

    held[Symbol.dispose]();
    vi.advanceTimersByTime(9_000);
    expect(asked.length).toBe(4);
    expect(lost).toEqual([]);
    vi.useRealTimers();
  });

  it('that is refused, or whose command ends before it answered, is not held', async () => {
    for (const say of [
      (one: ReturnType<typeof fuse>) => one.say('refused: reverted'),
      (one: ReturnType<typeof fuse>) => one.end({ exitCode: 3, stderr: 'absent' }),
    ]) {
      const { held, lost } = leases();
      const other = fuse();
      const pending = held.hold(key, other.command);
      say(other);

      await expect(pending).rejects.toMatchObject({
        code: 'CHAOS_COMMAND',
        target: 'web-1',
        message: expect.stringMatching(/cannot be held: (refused|absent)/) as string,
      });
      expect(lost).toEqual([]);
    }
  });

  it('is lost once when the fuse reverted by itself or the command ended', async () => {
    const reverted = await holding();
    reverted.say('lost: its deadline passed');
    await vi.waitFor(() => expect(reverted.lost).toEqual(['web-1: the fuse no longer waits: lost: its deadline passed']));
    reverted.end();

    const cut = await holding();
    cut.end({ ended: 'lost', exitCode: null, lostBecause: 'connection reset' });
    await vi.waitFor(() => expect(cut.lost).toEqual(['web-1: the fuse is no longer held: connection reset']));
    expect(reverted.lost.length).toBe(1);
  });

  it('that was released or let go may end: no loss', async () => {
    const released = await holding();
    released.held.release(key);
    released.say('lost: it was asked to');
    released.end();
    const letGo = await holding();
    letGo.held[Symbol.dispose]();
    letGo.end();
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect([...released.lost, ...letGo.lost]).toEqual([]);
    expect(letGo.held.signal.aborted).toBe(true);
  });
});
