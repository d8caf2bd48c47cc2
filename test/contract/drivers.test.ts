/** What every host driver must do, against every kind of endpoint there is here. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { milliseconds } from '../../src/core/units.ts';
import type { CommandResult, HostAddress, HostDriver, HostSession } from '../../src/drivers/contract.ts';
import { driverFor, driverKinds } from '../../src/drivers/registry.ts';
import { generateKeyPair, knownHostsLine } from '../../src/lab/ssh-keys.ts';
import { countProcesses, endpointKinds, freePort, type SshEndpoint } from '../support/ssh-endpoints.ts';
import { startLink } from '../support/ssh-link.ts';

const never = new AbortController().signal;
const seconds = (count: number) => milliseconds(count * 1_000);

for (const kind of driverKinds) {
  for (const endpointKind of endpointKinds) {
    const name = `driver ${kind} against ${endpointKind.name}`;
    if (endpointKind.missing === undefined) describe(name, () => contract(kind, endpointKind.start));
    else describe.skip(`${name} (skipped: ${endpointKind.missing})`, () => test('nothing to run against', () => undefined));
  }
}

function contract(kind: HostDriver['kind'], startEndpoint: () => Promise<SshEndpoint>): void {
  let driver: HostDriver;
  let endpoint: SshEndpoint;
  let session: HostSession;

  beforeAll(async () => {
    driver = await driverFor(kind);
    endpoint = await startEndpoint();
    session = await driver.connect(endpoint.host, never);
  });
  afterAll(async () => {
    await session?.[Symbol.asyncDispose]();
    await endpoint?.[Symbol.asyncDispose]();
  });

  const run = (
    command: string,
    options: { stdin?: string | Uint8Array; timeout?: number; maxBytes?: number; signal?: AbortSignal } = {},
  ): Promise<CommandResult> => {
    const { timeout = 10_000, signal = never, ...rest } = options;
    return session.run({ command, timeout: milliseconds(timeout), ...rest }, signal);
  };

  describe('commands', () => {
    test('give exit code, stdout and stderr apart', async () => {
      const result = await run('echo out; echo err >&2; exit 7');

      expect(result).toMatchObject({ ended: 'exited', exitCode: 7, signal: null, stdout: 'out\n', stderr: 'err\n', truncated: false });
    });

    test('give the signal when their shell was killed', async () => {
      expect(await run('kill -9 $$')).toMatchObject({ ended: 'exited', exitCode: null, signal: 'SIGKILL' });
    });

    test('with a syntax error fail as a shell says, and are not lost', async () => {
      const result = await run('if; then');

      expect(result).toMatchObject({ ended: 'exited', exitCode: 2, stdout: '' });
      expect(result.stderr).toMatch(/syntax error/i);
    });

    test('take quotes, newlines and dollars as they are', async () => {
      const result = await run(`a='it'"'"'s'\nprintf '%s|' "$a" '$HOME' "\\\\"`);

      expect(result.stdout).toBe("it's|$HOME|\\|");
    });

    test('lead their own process group and have no terminal', async () => {
      const result = await run('[ "$(ps -o pgid= -p $$ | tr -d " ")" = $$ ] && echo leader; [ -t 0 ] || echo no terminal');

      expect(result.stdout).toBe('leader\nno terminal\n');
    });

    test('get an empty standard input by default', async () => {
      expect(await run('cat; echo end')).toMatchObject({ ended: 'exited', stdout: 'end\n' });
    });

    test('get one megabyte through standard input unharmed', async () => {
      const input = randomBytes(1024 * 1024);
      const result = await run('cksum; true', { stdin: input });
      const back = await run('cat', { stdin: input.toString('base64'), maxBytes: 2 * 1024 * 1024 });

      expect(result.stdout).toMatch(/ 1048576\n$/);
      expect(back.stdout).toBe(input.toString('base64'));
    });

    test('that do not read their input end all the same', async () => {
      expect(await run('exec <&-; exit 3', { stdin: randomBytes(5 * 1024 * 1024) })).toMatchObject({ ended: 'exited', exitCode: 3 });
    });

    test('keep the first bytes of long output, never half a character, and say that they were cut', async () => {
      const result = await run("printf 'ééééé'; printf 'ééééé' >&2", { maxBytes: 5 });

      expect(result).toMatchObject({ ended: 'exited', stdout: 'éé', stderr: 'éé', truncated: true });
    });

    test('that are armed wait until they are fired, and then give what a command gives', async () => {
      const seen = join(endpoint.folder, 'seen-armed');
      await using armed = await session.arm({ command: `touch ${seen}; cat`, stdin: 'in', timeout: milliseconds(10_000) }, never);
      await run('sleep 0.2');
      const before = existsSync(seen);

      const result = await armed.fire();

      expect(before).toBe(false);
      expect(result).toMatchObject({ ended: 'exited', exitCode: 0, stdout: 'in' });
    });

    test('that are armed and never fired never begin', async () => {
      const seen = join(endpoint.folder, 'seen-unfired');
      const armed = await session.arm({ command: `touch ${seen}; sleep 36.1`, timeout: milliseconds(10_000) }, never);
      await armed[Symbol.asyncDispose]();

      expect((await run(`ls ${seen}; pgrep -f 'sleep 36[.]1'`)).stdout).toBe('');
    });

    test('may stream hundreds of megabytes through flat memory', async () => {
      const before = process.memoryUsage().rss;
      let peak = before;
      const watch = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage().rss);
      }, 20);
      const result = await run('head -c 200000000 /dev/zero; head -c 20000000 /dev/zero >&2', { maxBytes: 1_000 });
      clearInterval(watch);

      expect(result).toMatchObject({ ended: 'exited', exitCode: 0, truncated: true });
      expect(result.stdout).toHaveLength(1_000);
      expect(peak - before).toBeLessThan(100 * 1024 * 1024);
    });

    test('that write much on both streams at once neither hang nor mix them up', async () => {
      const result = await run('(yes e | head -c 3000000 >&2) & yes o | head -c 3000000; wait', { maxBytes: 4_000_000 });

      expect(result).toMatchObject({ ended: 'exited', truncated: false });
      expect(result.stdout).toBe('o\n'.repeat(1_500_000));
      expect(result.stderr).toBe('e\n'.repeat(1_500_000));
    });

    test('run twenty at a time although the server allows ten sessions', async () => {
      const results = await Promise.all(Array.from({ length: 20 }, (_, index) => run(`sleep 0.1; echo ${index}`)));

      expect(results.map((result) => result.stdout)).toEqual(Array.from({ length: 20 }, (_, index) => `${index}\n`));
    });
  });

  describe.concurrent('ending commands', () => {
    test('commands that leave a child holding their output settle with their exit code', async () => {
      const result = await run('sleep 31.7 & echo started');

      expect(result).toMatchObject({ ended: 'exited', exitCode: 0, stdout: 'started\n', truncated: true });
      expect(countProcesses('sleep 31.7')).toBe(1);
      await run("pkill -f 'sleep 31[.]7'");
    });

    test('a timeout ends the whole process group', async () => {
      const result = await run('sleep 32.1 & sleep 32.2; echo no', { timeout: 1_000 });

      expect(result).toMatchObject({ ended: 'timed-out', exitCode: null, stdout: '' });
      expect(result.durationMs).toBeLessThan(5_000);
      expect(countProcesses('sleep 32.')).toBe(0);
    });

    test('children that ignore TERM are killed two seconds later', async () => {
      const result = await run("trap '' TERM; sleep 33.3 & while :; do sleep 33.4; done", { timeout: 1_000 });

      expect(result.ended).toBe('timed-out');
      expect(result.durationMs).toBeGreaterThan(2_000);
      expect(result.durationMs).toBeLessThan(8_000);
      expect(countProcesses('sleep 33.')).toBe(0);
    });

    test('an abort ends the whole process group and keeps what was said so far', async () => {
      const controller = new AbortController();
      const pending = run('echo begun; sleep 34.1 & sleep 34.2', { signal: controller.signal });
      await vi.waitFor(() => expect(countProcesses('sleep 34.')).toBe(2), { timeout: 5_000 });
      controller.abort(new Error('enough'));

      expect(await pending).toMatchObject({ ended: 'aborted', exitCode: null, stdout: 'begun\n' });
      expect(countProcesses('sleep 34.')).toBe(0);
    });

    test('what is aborted before it began never begins', async () => {
      const file = join(endpoint.folder, 'never');

      expect(await run(`touch ${file}`, { signal: AbortSignal.abort() })).toMatchObject({ ended: 'aborted' });
      await run('true');
      expect(existsSync(file)).toBe(false);
    });

    test('what is aborted before its shell is ready never begins', async () => {
      const file = join(endpoint.folder, 'hardly');
      const controllers = Array.from({ length: 8 }, () => new AbortController());
      const all = controllers.map((controller, index) => run(`touch ${file}${index}; sleep 42.1`, { signal: controller.signal }));
      for (const controller of controllers) {
        controller.abort();
        await sleep(5);
      }
      const results = await Promise.all(all);
      await sleep(500);

      expect(new Set(results.map((result) => result.ended))).toEqual(new Set(['aborted']));
      expect(countProcesses('sleep 42.1')).toBe(0);
    });

    test('commands that wait for a free session can be aborted, and a full connection can still end the others', async () => {
      const controller = new AbortController();
      const other = await driver.connect(endpoint.host, never);
      const command = { command: 'sleep 35.1', timeout: seconds(10) };
      const all = Promise.all(Array.from({ length: 20 }, () => other.run(command, controller.signal)));
      await vi.waitFor(() => expect(countProcesses('sleep 35.1')).toBeGreaterThanOrEqual(8), { timeout: 5_000, interval: 200 });
      controller.abort();

      expect(new Set((await all).map((result) => result.lostBecause ?? result.ended))).toEqual(new Set(['aborted']));
      expect(countProcesses('sleep 35.1')).toBe(0);
      expect(await other.run({ ...command, command: 'echo free' }, never)).toMatchObject({ ended: 'exited', stdout: 'free\n' });
      await other[Symbol.asyncDispose]();
    });

    test('disposing of a session leaves none of its commands running', async () => {
      const other = await driver.connect(endpoint.host, never);
      const pending = other.run({ command: 'sleep 36.1 & sleep 36.2', timeout: seconds(10) }, never);
      await vi.waitFor(() => expect(countProcesses('sleep 36.')).toBe(2), { timeout: 5_000 });
      await other[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();

      expect((await pending).ended).toBe('aborted');
      expect(countProcesses('sleep 36.')).toBe(0);
      expect(await other.run({ command: 'true', timeout: seconds(1) }, never)).toMatchObject({ ended: 'lost' });
      expect(await other.lost).toBeInstanceOf(Error);
    });
  });

  describe('streams', () => {
    test('carry binary data from one host into another', async () => {
      const data = randomBytes(3_000_000);
      const [from, into] = [join(endpoint.folder, 'from'), join(endpoint.folder, 'into')];
      writeFileSync(from, data);
      const other = await driver.connect(endpoint.host, never);
      const source = await session.start({ command: `cat ${from}`, timeout: seconds(10) }, never);
      const sink = await other.start({ command: `cat > ${into}; echo done`, timeout: seconds(10) }, never);
      const said: Buffer[] = [];
      sink.stdout.on('data', (chunk: Buffer) => said.push(chunk));
      await pipeline(source.stdout, sink.stdin);
      source.stdin.end();

      expect(await sink.result).toMatchObject({ ended: 'exited', exitCode: 0, stdout: '' });
      expect(await source.result).toMatchObject({ ended: 'exited', exitCode: 0 });
      expect(Buffer.concat(said).toString()).toBe('done\n');
      expect(hash(readFileSync(into))).toBe(hash(data));
      await other[Symbol.asyncDispose]();
    });

    test('a reader that is slow holds the sender back', async () => {
      const done = join(endpoint.folder, 'all-sent');
      const source = await session.start({ command: `head -c 50000000 /dev/zero; touch ${done}`, timeout: seconds(20) }, never);
      source.stdin.end();
      await sleep(500);
      const sent = existsSync(done);
      let size = 0;
      for await (const chunk of source.stdout) size += (chunk as Buffer).length;

      expect(sent).toBe(false);
      expect(size).toBe(50_000_000);
      expect(await source.result).toMatchObject({ ended: 'exited', exitCode: 0 });
    });

    test('end with an error, not with an end, when the command is stopped', async () => {
      const source = await session.start({ command: 'echo begun; sleep 37.1', timeout: milliseconds(1_000) }, never);
      source.stdin.end();
      const read = (async () => {
        for await (const _ of source.stdout);
      })();

      await expect(read).rejects.toMatchObject({ code: 'CHAOS_COMMAND' });
      expect(await source.result).toMatchObject({ ended: 'timed-out' });
      expect(countProcesses('sleep 37.1')).toBe(0);
    });

    test('a sink that ends early breaks the pipeline instead of hanging it', async () => {
      const source = await session.start({ command: 'cat /dev/zero', timeout: seconds(10) }, never);
      const sink = await session.start({ command: 'exit 4', timeout: seconds(10) }, never);
      source.stdin.end();
      sink.stdout.resume();

      await expect(pipeline(source.stdout, sink.stdin)).rejects.toThrow();
      expect(await sink.result).toMatchObject({ ended: 'exited', exitCode: 4 });
      source.stdout.destroy();
    });
  });

  describe('dialling', () => {
    test('connects from the target, and each side may end first', async () => {
      const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      const stream = await session.dial('127.0.0.1', port, never);
      const sent = randomBytes(500_000);
      const back: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => back.push(chunk));
      stream.end(sent);
      await once(stream, 'end');

      expect(hash(Buffer.concat(back))).toBe(hash(sent));
      server.close();
    });

    test('says what could not be reached', async () => {
      const port = await freePort();

      await expect(session.dial('127.0.0.1', port, never)).rejects.toMatchObject({
        code: 'CHAOS_COMMAND',
        message: `web-1 cannot connect to 127.0.0.1:${port}`,
      });
    });
  });

  describe.concurrent('a link that is lost', () => {
    test('when cut in the middle settles everything as lost, also what comes later', async () => {
      await using link = await startLink(endpoint.host.port);
      const other = await driver.connect(through(endpoint, link.port), never);
      const seen = join(endpoint.folder, 'seen');
      const pending = other.run({ command: `echo begun; touch ${seen}; sleep 2.5`, timeout: seconds(10) }, never);
      const started = await other.start({ command: 'echo begun; sleep 2.5', timeout: seconds(10) }, never);
      const read = (async () => {
        for await (const _ of started.stdout);
      })();
      read.catch(() => undefined);
      const queued = Array.from({ length: 10 }, () => other.run({ command: 'sleep 2.5', timeout: seconds(10) }, never));
      await vi.waitFor(() => expect(existsSync(seen)).toBe(true), { timeout: 2_000 });
      await sleep(50);
      link.cut();

      const result = await pending;
      expect(result).toMatchObject({ ended: 'lost', exitCode: null, stdout: 'begun\n' });
      expect(result.lostBecause).toBeTruthy();
      expect(await started.result).toMatchObject({ ended: 'lost' });
      await expect(read).rejects.toMatchObject({ code: 'CHAOS_TARGET_LOST' });
      for (const each of queued) expect(await each).toMatchObject({ ended: 'lost' });
      expect(await other.lost).toBeInstanceOf(Error);
      expect(await other.run({ command: 'true', timeout: seconds(1) }, never)).toMatchObject({ ended: 'lost' });
      await expect(other.start({ command: 'true', timeout: seconds(1) }, never)).rejects.toMatchObject({ code: 'CHAOS_TARGET_LOST' });
      await expect(other.dial('127.0.0.1', 1, never)).rejects.toMatchObject({ code: 'CHAOS_TARGET_LOST' });
      await other[Symbol.asyncDispose]();
    });

    test('when it goes silent is noticed within six seconds', async () => {
      await using link = await startLink(endpoint.host.port);
      const other = await driver.connect(through(endpoint, link.port), never);
      const seen = join(endpoint.folder, 'seen-silent');
      const pending = other.run({ command: `touch ${seen}; sleep 38.1`, timeout: milliseconds(2_000) }, never);
      await vi.waitFor(() => expect(existsSync(seen)).toBe(true), { timeout: 2_000 });
      link.freeze();
      const frozenAt = performance.now();

      // It timed out too, but nobody can say that it was ended: lost.
      expect(await pending).toMatchObject({ ended: 'lost' });
      expect(performance.now() - frozenAt).toBeLessThan(6_000);
      await other[Symbol.asyncDispose]();
      await run("pkill -f 'sleep 38[.]1'");
    });
  });

  describe('refusals', () => {
    const connect = (change: Partial<HostAddress>, signal = never): Promise<HostSession> =>
      driver.connect({ ...endpoint.host, ...change }, signal);
    const write = (name: string, text: string): string => {
      const file = join(endpoint.folder, name);
      writeFileSync(file, text, { mode: 0o600 });
      return file;
    };

    test('an unknown host key is refused with the command that learns it', async () => {
      const file = write('empty_known_hosts', '# nobody\n');

      await expect(connect({ knownHostsFiles: [file] })).rejects.toMatchObject({
        code: 'CHAOS_SSH_HOST_KEY',
        target: 'web-1',
        message: expect.stringMatching(/is not known; it shows ssh-ed25519 SHA256:/) as string,
        hint: expect.stringContaining(`ssh-keyscan -p ${endpoint.host.port} 127.0.0.1 >> ${file}`) as string,
      });
    });

    test('a changed host key is refused with the command that forgets it', async () => {
      const file = write('old_known_hosts', `${knownHostsLine('127.0.0.1', endpoint.host.port, generateKeyPair().public)}\n`);

      await expect(connect({ knownHostsFiles: [file] })).rejects.toMatchObject({
        code: 'CHAOS_SSH_HOST_KEY',
        message: expect.stringContaining('HAS CHANGED') as string,
        hint: expect.stringContaining(`ssh-keygen -R '[127.0.0.1]:${endpoint.host.port}' -f ${file}`) as string,
      });
    });

    test('a wrong key is refused, and the error names what was offered', async () => {
      const file = write('stranger', generateKeyPair().private);

      await expect(connect({ identityFiles: [file] })).rejects.toMatchObject({
        code: 'CHAOS_SSH_AUTH',
        message: expect.stringContaining(`offered: ${file} (ssh-ed25519)`) as string,
      });
    });

    test('a wrong user is refused', async () => {
      await expect(connect({ user: 'nosuchuser' })).rejects.toMatchObject({ code: 'CHAOS_SSH_AUTH' });
    });

    test('a closed port says that nothing listens there', async () => {
      const port = await freePort();

      await expect(connect({ port })).rejects.toMatchObject({
        code: 'CHAOS_SSH_CONNECT',
        message: expect.stringContaining('ECONNREFUSED') as string,
        hint: expect.stringContaining(`Nothing listens on port ${port}`) as string,
      });
    });

    test('a server that accepts and says nothing can be left at once', async () => {
      const server = createServer(() => undefined).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      const startedAt = performance.now();

      await expect(connect({ port }, AbortSignal.timeout(300))).rejects.toMatchObject({ name: 'TimeoutError' });
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      server.close();
    });
  });

  function through(to: SshEndpoint, port: number): HostAddress {
    const file = join(to.folder, `known_hosts_${port}`);
    writeFileSync(file, `${knownHostsLine('127.0.0.1', port, to.hostKey)}\n`);
    return { ...to.host, port, knownHostsFiles: [file] };
  }
}

function hash(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
