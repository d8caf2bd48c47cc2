/** The SQL connector against a real server, directly and through a host; and against servers that misbehave. */

import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { milliseconds } from '../../../src/core/units.ts';
import type { HostSession, SqlEndpoint, SqlSession, TcpDialer } from '../../../src/drivers/contract.ts';
import { postgresqlConnector } from '../../../src/drivers/sql/postgresql.ts';
import { sshDriver } from '../../../src/drivers/ssh/index.ts';
import { unprivilegedAccount } from '../../../src/lab/accounts.ts';
import { preparePostgres } from '../../../src/lab/postgres-binaries.ts';
import { runProgram } from '../../../src/lab/programs.ts';
import { freePort, type SshEndpoint, startPracticeHost } from '../../support/ssh-endpoints.ts';

const never = new AbortController().signal;
const timeout = milliseconds(5_000);
const password = 'not-for-printing';

interface Database extends AsyncDisposable {
  readonly endpoint: SqlEndpoint;
}

async function startDatabase(): Promise<Database> {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-pg-'));
  chmodSync(folder, 0o755);
  const account = await unprivilegedAccount(folder, never);
  const { binDir } = await preparePostgres(undefined, folder, account, never);
  const data = join(folder, 'data');
  const secret = join(folder, 'secret');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(secret, password);
  if (account !== undefined) for (const path of [data, secret]) chownSync(path, account.uid, account.gid);
  const options = account === undefined ? {} : { account };
  const run = (program: string, ...words: string[]) => runProgram(join(binDir, program), words, options, never);
  await run('initdb', '-D', data, '-U', 'chaos_admin', '--auth=scram-sha-256', `--pwfile=${secret}`, '--no-sync');
  const port = await freePort();
  const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`;
  await run('pg_ctl', 'start', '-w', '-D', data, '-l', join(data, 'log'), '-o', settings);
  const endpoint: SqlEndpoint = {
    engine: 'postgresql',
    address: '127.0.0.1',
    port,
    database: 'postgres',
    user: 'chaos_admin',
    password,
    applicationName: 'chaos-test',
  };
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      await run('pg_ctl', 'stop', '-m', 'immediate', '-D', data);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

let database: Database;
let target: SshEndpoint;
let host: HostSession;
beforeAll(async () => {
  database = await startDatabase();
  target = await startPracticeHost();
  host = await sshDriver.connect(target.host, never);
});
afterAll(async () => {
  await host?.[Symbol.asyncDispose]();
  await target?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

for (const way of ['directly', 'through the target'] as const) {
  describe(`a PostgreSQL session ${way}`, () => {
    const options = (): { timeout: typeof timeout; via?: TcpDialer } => (way === 'directly' ? { timeout } : { timeout, via: host });
    const open = (change: Partial<SqlEndpoint> = {}): Promise<SqlSession> =>
      postgresqlConnector.connect({ ...database.endpoint, ...change }, options(), never);

    test('gives rows as objects, bigint as text, and is named at the server', async () => {
      await using session = await open();

      expect(await session.query('select 9007199254740993::bigint as big, $1::text as word', ['it'], never)).toEqual([
        { big: '9007199254740993', word: 'it' },
      ]);
      expect(await session.query('select application_name as name from pg_stat_activity where pid = pg_backend_pid()', [], never)).toEqual([
        { name: 'chaos-test' },
      ]);
      expect(await session.query('select 1 as a; select 2 as b', [], never)).toEqual([{ b: 2 }]);
      expect(await session.query('do $$ begin end $$', [], never)).toEqual([]);
    });

    test('runs queries one after the other, and goes on after a failed one', async () => {
      await using session = await open();
      const asked = ['select 1 as n', 'select nonsense', 'select 3 as n'].map((text) => session.query(text, [], never));
      const [first, second, third] = await Promise.allSettled(asked);

      expect(first).toMatchObject({ status: 'fulfilled', value: [{ n: 1 }] });
      expect(second).toMatchObject({
        status: 'rejected',
        reason: { code: 'CHAOS_SQL', message: expect.stringContaining('column "nonsense" does not exist (SQLSTATE 42703)') as string },
      });
      expect(third).toMatchObject({ status: 'fulfilled', value: [{ n: 3 }] });
    });

    test('an abort rejects with its reason at once and closes the session', async () => {
      await using session = await open();
      const controller = new AbortController();
      const startedAt = performance.now();
      const pending = session.query('select pg_sleep(10)', [], controller.signal);
      const queued = session.query('select 1', [], never);
      setTimeout(() => controller.abort(new Error('enough')), 100);

      await expect(pending).rejects.toThrow('enough');
      await expect(queued).rejects.toMatchObject({ code: 'CHAOS_SQL' });
      await session.lost;
      await expect(session.query('select 1', [], never)).rejects.toMatchObject({ code: 'CHAOS_SQL' });
      expect(performance.now() - startedAt).toBeLessThan(3_000);
    });

    test('a backend that is terminated is lost, with the server’s reason', async () => {
      await using session = await open();
      await using other = await open();
      const [row] = await session.query('select pg_backend_pid() as pid', [], never);
      await other.query('select pg_terminate_backend($1)', [row?.pid], never);

      expect((await session.lost).message).toContain('terminating connection due to administrator command');
      await expect(session.query('select 1', [], never)).rejects.toMatchObject({ code: 'CHAOS_SQL' });
    });

    test('a wrong password is refused without showing it', async () => {
      const error = await open({ password: 'chaos_admin' }).catch((reason: unknown) => reason);

      expect(error).toMatchObject({ code: 'CHAOS_SQL', message: expect.stringContaining('SQLSTATE 28P01') as string });
      expect(JSON.stringify([String(error), (error as Error).cause])).not.toContain('"chaos_admin"');
    });

    test('a statement’s failure never shows the password', async () => {
      await using session = await open();

      const error = await session.query(`select '${password}'::int`, [], never).catch((reason: unknown) => reason);
      expect((error as Error).message).toContain('SQLSTATE 22P02');
      expect(`${(error as Error).message} ${String((error as Error).cause)} ${(error as Error).stack}`).not.toContain(password);
    });

    test('a closed port says so', async () => {
      await expect(open({ port: await freePort() })).rejects.toMatchObject({
        code: 'CHAOS_SQL',
        message: expect.stringMatching(/cannot connect/) as string,
      });
    });
  });
}

test('a session through a target is lost with the target', async () => {
  const other = await sshDriver.connect(target.host, never);
  const session = await postgresqlConnector.connect(database.endpoint, { timeout, via: other }, never);
  const pending = session.query('select pg_sleep(10)', [], never);
  pending.catch(() => undefined);
  await other[Symbol.asyncDispose]();

  await expect(pending).rejects.toMatchObject({
    code: 'CHAOS_SQL',
    message: expect.stringContaining('the connection to web-1 is gone') as string,
  });
  expect(await session.lost).toBeInstanceOf(Error);
  await session[Symbol.asyncDispose]();
});

describe('a server that misbehaves', () => {
  let silent: Server;
  let endpoint: SqlEndpoint;
  beforeAll(async () => {
    silent = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    endpoint = { ...database.endpoint, port: address !== null && typeof address === 'object' ? address.port : 0 };
  });
  afterAll(() => silent.close());

  test('and says nothing is given up when the time is over', async () => {
    await expect(postgresqlConnector.connect(endpoint, { timeout: milliseconds(200) }, never)).rejects.toMatchObject({
      code: 'CHAOS_SQL',
      message: expect.stringContaining('no answer within 200 ms') as string,
    });
  });

  test('and says nothing can be left by an abort', async () => {
    await expect(postgresqlConnector.connect(endpoint, { timeout }, AbortSignal.timeout(100))).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });

  test('and talks nonsense fails as an error', async () => {
    const rude = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await once(rude, 'listening');
    const address = rude.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;

    await expect(postgresqlConnector.connect({ ...endpoint, port }, { timeout: milliseconds(1_000) }, never)).rejects.toMatchObject({
      code: 'CHAOS_SQL',
    });
    rude.close();
  });
});
