/** Hosts reached over the stdin and stdout of a local command, here a relay of a few lines. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { shellQuote } from '../../../src/core/text.ts';
import { milliseconds } from '../../../src/core/units.ts';
import type { HostAddress } from '../../../src/drivers/contract.ts';
import { sshDriver } from '../../../src/drivers/ssh/index.ts';
import { countProcesses, endpointKinds, type SshEndpoint, startPracticeHost } from '../../support/ssh-endpoints.ts';

const never = new AbortController().signal;
const relay = `
const socket = require('node:net').connect(Number(process.argv[2]), '127.0.0.1');
process.stdin.pipe(socket).pipe(process.stdout);
`;

async function refusal(host: HostAddress): Promise<{ code: unknown; message: string }> {
  const error: unknown = await sshDriver.connect(host, never).catch((reason: unknown) => reason);
  if (!(error instanceof Error)) throw new Error('it was not refused');
  return { code: 'code' in error ? error.code : undefined, message: error.message };
}

describe.each(endpointKinds.filter(({ missing }) => missing === undefined))('through a ProxyCommand, $name', (kind) => {
  let endpoint: SshEndpoint;
  beforeAll(async () => {
    endpoint = await kind.start();
    writeFileSync(join(endpoint.folder, 'relay.cjs'), relay);
  });
  afterAll(async () => endpoint[Symbol.asyncDispose]());

  const relayTo = (port: number): string => `${shellQuote(process.execPath)} ${join(endpoint.folder, 'relay.cjs')} ${port}`;
  const by = (proxyCommand: string): HostAddress => ({ ...endpoint.host, proxyCommand });
  const relays = (): number => countProcesses(relayTo(endpoint.host.port));

  test('runs commands and moves data in bulk, and the command goes with the session', async () => {
    const session = await sshDriver.connect(by(relayTo(endpoint.host.port)), never);
    const bulk = 'x'.repeat(900_000);
    const answer = await session.run({ command: 'cat', stdin: bulk, timeout: milliseconds(10_000) }, never);
    const during = relays();
    await session[Symbol.asyncDispose]();

    expect([answer.stdout === bulk, during]).toEqual([true, 1]);
    await vi.waitFor(() => expect(relays()).toBe(0));
  });

  test('leads to a jump host, one for all behind it', async () => {
    const jump = by(relayTo(endpoint.host.port));
    const sessions = await Promise.all([1, 2, 3].map(() => sshDriver.connect({ ...endpoint.host, jumps: [jump] }, never)));
    const during = relays();
    for (const session of sessions) await session[Symbol.asyncDispose]();

    expect(during).toBe(1);
    await vi.waitFor(() => expect(relays()).toBe(0));
  });

  test('whose key is unknown is learned the same way', async () => {
    const unknown = { ...by(`${relayTo(endpoint.host.port)} 100%`), knownHostsFiles: [join(endpoint.folder, 'none')], hostKeyAlias: 'web' };

    await expect(sshDriver.connect(unknown, never)).rejects.toMatchObject({
      code: 'CHAOS_SSH_HOST_KEY',
      hint: expect.stringMatching(/ -o UserKnownHostsFile=\S*none -o HostKeyAlias=web -o 'ProxyCommand=.* 100%%' \S+ true$/) as string,
    });
    await vi.waitFor(() => expect(relays()).toBe(0));
  });

  test('is lost with the command', async () => {
    const session = await sshDriver.connect(
      by(`sh -c 'echo $$ > ${endpoint.folder}/pid-relay; exec "$@"' sh ${relayTo(endpoint.host.port)}`),
      never,
    );
    await session.run({ command: 'true', timeout: milliseconds(5_000) }, never);
    process.kill(Number(readFileSync(join(endpoint.folder, 'pid-relay'), 'utf8')), 'SIGKILL');

    expect((await session.lost).message).toContain('ProxyCommand was ended by SIGKILL');
    await session[Symbol.asyncDispose]();
  });
});

describe('a ProxyCommand that leads nowhere', () => {
  let endpoint: SshEndpoint;
  beforeAll(async () => {
    endpoint = await startPracticeHost();
  });
  afterAll(async () => endpoint[Symbol.asyncDispose]());
  const by = (proxyCommand: string): HostAddress => ({ ...endpoint.host, proxyCommand });

  test.each([
    ['that ends at once', 'false', ['ended with exit code 1', 'the ProxyCommand is false']],
    ['that complains', 'sh -c "echo no way >&2; exit 3"', ['ended with exit code 3', 'said "no way"']],
    ['that does not exist', '/nonexistent/relay', ['ended with exit code 127', 'said "', '/nonexistent/relay: ']],
    ['that prints something else and ends', 'echo Please log in', ['printed "Please log in"']],
    ['that prints control characters', `printf 'a\\033[2Jb\\007\\n'`, ['printed "ab"']],
  ])('a command %s is told with what it said', async (_, command, texts) => {
    const started = performance.now();
    const { code, message } = await refusal(by(command));

    expect(code).toBe('CHAOS_SSH_CONNECT');
    for (const text of texts) expect(message).toContain(text);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('a command that prints without end is not listened to for long', async () => {
    const { code, message } = await refusal(by('yes nothing-of-ssh'));

    expect([code, message.length < 1_000]).toEqual(['CHAOS_SSH_CONNECT', true]);
    await vi.waitFor(() => expect(countProcesses('yes nothing-of-ssh')).toBe(0), { timeout: 10_000 });
  });

  test('nothing of a command is left when the attempt is given up, even if it ignores being asked', async () => {
    const stubborn = `sh -c "trap '' TERM; sleep 997.31; sleep 997.32"`;
    const giveUp = new AbortController();
    const attempt = sshDriver.connect(by(stubborn), giveUp.signal);
    await vi.waitFor(() => expect(countProcesses('sleep 997.31')).toBe(1), { timeout: 10_000 });
    giveUp.abort(new Error('given up'));

    await expect(attempt).rejects.toThrow('given up');
    await vi.waitFor(() => expect(countProcesses('sleep 997.3') + countProcesses('sh -c trap')).toBe(0), { timeout: 10_000 });
  });

  test('a command that never answers ends with the time for connecting', async () => {
    const { code, message } = await refusal(by(`sh -c 'echo dialling >&2; sleep 997.41'`));

    expect(code).toBe('CHAOS_SSH_CONNECT');
    expect(message).toMatch(/no answer within 15 s.*said "dialling"/);
    await vi.waitFor(() => expect(countProcesses('sleep 997.41')).toBe(0), { timeout: 10_000 });
  }, 25_000);
});
