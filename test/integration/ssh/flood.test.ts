/** Hosts that say too much, or things that a terminal would obey, over the system's own sshd. */
import { describe, expect, test } from 'vitest';
import { cleanText, tail } from '../../../src/core/text.ts';
import { milliseconds } from '../../../src/core/units.ts';
import { sshDriver } from '../../../src/drivers/ssh/index.ts';
import { type SshEndpoint, sshd, startSystemSshd } from '../../support/ssh-endpoints.ts';

const forever = new AbortController().signal;
const timeout = milliseconds(60_000);
if (sshd === undefined) console.warn('skipped: no sshd is installed');

async function answerOf({ host }: SshEndpoint, command: string) {
  await using session = await sshDriver.connect(host, forever);
  return await session.run({ command, timeout }, forever);
}

/** Largest growth of this process's memory while `work` ran, in MB. */
async function growthDuring<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly grownMb: number }> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  try {
    return { result: await work(), grownMb: (most - before) / 1e6 };
  } finally {
    clearInterval(timer);
  }
}

describe.skipIf(sshd === undefined)('over OpenSSH', () => {
  test('300 MB of output end with the exit code, marked as cut, in bounded memory', { timeout: 60_000 }, async () => {
    await using endpoint = await startSystemSshd();
    // Code and the buffers of the first 100 MB are a fixed cost; what must not happen is that memory goes on growing with the amount.
    await answerOf(endpoint, 'head -c 100000000 /dev/zero');

    const { result, grownMb } = await growthDuring(() => answerOf(endpoint, 'head -c 300000000 /dev/zero && exit 7'));

    console.info(`300 MB of output: memory grew by ${grownMb.toFixed(0)} MB`);
    expect(result).toMatchObject({ ended: 'exited', exitCode: 7, truncated: true });
    expect(result.stdout.length).toBeLessThan(5_000_000);
    expect(grownMb).toBeLessThan(50);
  });

  test('what a terminal would obey is gone from the text that is made for people and the journal', async () => {
    await using endpoint = await startSystemSshd();
    const hostile = String.raw`a\033[31mred\033[0m \033]52;c;ZXZpbA==\007b \302\233c \342\200\256d \000e\377f`;

    const { stdout, ended } = await answerOf(endpoint, `printf '${hostile}'`);

    expect(ended).toBe('exited');
    expect(stdout).toContain('\u001b]52;c;');
    for (const shown of [cleanText(stdout), tail(stdout)]) {
      expect(shown).toBe('ared b c d e\ufffdf');
    }
  });
});
