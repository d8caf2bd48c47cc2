import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChaosError } from '../../../src/core/errors.ts';
import type { SqlConnector, SqlSession } from '../../../src/drivers/contract.ts';
import type { Operation } from '../../../src/plan/plan.ts';
import { setUp } from '../../support/engine-operations.ts';
import { operation } from '../../support/engine-plan.ts';
import { FakeWorld } from '../../support/engine-world.ts';

describe('an operation', () => {
  it('that is not in the plan is never run', async () => {
    const world = new FakeWorld();
    const { planned, events } = setUp({ operations: [operation('break')], driver: world.driver });

    await expect(planned.run('other')).rejects.toMatchObject({ code: 'CHAOS_PLAN_DRIFT' });

    expect(planned.has('other')).toBe(false);
    expect(planned.has('break')).toBe(true);
    expect(events).toEqual([]);
    expect(world.connects).toEqual([]);
  });

  it('runs the text of the plan with the run and its variables filled in, and is recorded before it is sent and after it ended', async () => {
    const world = new FakeWorld();
    const sent: number[] = [];
    const { planned, events } = setUp({
      operations: [operation('go', { text: 'touch /tmp/chaos-@run@ @pid@', changes: true })],
      driver: world.driver,
    });
    world.answer = () => {
      sent.push(events.length);
      return { stdout: 'out\n', exitCode: 0 };
    };

    const result = await planned.run('go', { variables: { pid: '42' } });

    expect(result).toEqual({ exitCode: 0, stdout: 'out\n', stderr: '', rows: [] });
    expect(world.commands).toEqual([{ host: 'web-1', command: 'touch /tmp/chaos-abcdef 42' }]);
    expect(sent).toEqual([1]);
    expect(events).toMatchObject([
      {
        type: 'operation.running',
        step: 's1',
        operation: 'go',
        target: 'web-1',
        via: 'shell',
        text: 'touch /tmp/chaos-abcdef 42',
        changes: true,
      },
      { type: 'operation.finished', ok: true, detail: 'out' },
    ]);
  });

  it('is not sent when it cannot be recorded', async () => {
    const world = new FakeWorld();
    const record = (): Promise<never> => Promise.reject(new ChaosError('CHAOS_JOURNAL', 'no space'));
    const { planned } = setUp({ operations: [operation('go')], driver: world.driver, record });

    await expect(planned.run('go')).rejects.toMatchObject({ code: 'CHAOS_JOURNAL' });
    expect(world.commands).toEqual([]);
  });

  it('is not sent with a value that a shell would act on, whatever the value', async () => {
    const world = new FakeWorld();
    const { planned, events } = setUp({ operations: [operation('go', { text: 'kill @pid@' })], driver: world.driver });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: fc.constantFrom(...`'"\\$;|&()<>\`\n\ta0/é`), minLength: 1, maxLength: 6 }), async (pid) => {
        fc.pre(!/^[A-Za-z0-9._:/+-]+$/.test(pid));
        await expect(planned.run('go', { variables: { pid } })).rejects.toMatchObject({ code: 'CHAOS_PLAN_DRIFT' });
      }),
    );

    expect(world.commands).toEqual([]);
    expect(events).toEqual([]);
  });

  it('is not started once the run is stopped, and says why', async () => {
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    const { planned, events } = setUp({ operations: [operation('go')], signal: stop.signal });

    await expect(planned.run('go')).rejects.toThrow('stopped');
    expect(events).toEqual([]);
  });

  const endings = [
    [
      'a lost connection',
      { ended: 'lost', exitCode: null, lostBecause: 'reset' },
      { code: 'CHAOS_TARGET_LOST', message: 'go: reset', target: 'web-1' },
    ],
    ['a timeout', { ended: 'timed-out', exitCode: null }, { code: 'CHAOS_COMMAND', message: 'go: no end within 1000 ms' }],
    [
      'an exit code',
      { exitCode: 3, stderr: 'no \u001b[31msuch\u001b[0m thing\n' },
      { code: 'CHAOS_COMMAND', message: 'go: exit code 3: no such thing' },
    ],
    ['a signal', { exitCode: null, signal: 'KILL' }, { code: 'CHAOS_COMMAND', message: expect.stringContaining('killed by KILL') }],
  ] as const;
  it.each(endings)('%s is a failure, recorded as one', async (_what, answer, error) => {
    const world = new FakeWorld();
    world.answer = () => answer;
    const { planned, events } = setUp({ operations: [operation('go')], driver: world.driver });

    await expect(planned.run('go')).rejects.toMatchObject(error);
    expect(events.at(-1)).toMatchObject({ type: 'operation.finished', ok: false });
  });

  it('takes the exit codes that were said to be results', async () => {
    const world = new FakeWorld();
    world.answer = () => ({ exitCode: 3 });
    const { planned } = setUp({ operations: [operation('go')], driver: world.driver });

    expect(await planned.run('go', { accept: [0, 3] })).toMatchObject({ exitCode: 3 });
    expect(await planned.run('go', { accept: 'any' })).toMatchObject({ exitCode: 3 });
    await expect(planned.run('go', { accept: [1] })).rejects.toMatchObject({ code: 'CHAOS_COMMAND' });
  });

  it('does not take a lost connection for a result, whatever is accepted', async () => {
    const world = new FakeWorld();
    world.answer = () => ({ ended: 'lost', exitCode: null });
    const { planned } = setUp({ operations: [operation('go')], driver: world.driver });

    await expect(planned.run('go', { accept: 'any' })).rejects.toMatchObject({ code: 'CHAOS_TARGET_LOST' });
  });

  it('hands credentials over on standard input and nowhere else', async () => {
    const world = new FakeWorld();
    const { planned, events } = setUp({ operations: [operation('go', { text: 'cat > pass', database: 'orders' })], driver: world.driver });
    await planned.run('go', { stdin: '@replication-user@:@replication-password@:@run@' });

    expect(world.commands).toEqual([{ host: 'web-1', command: 'cat > pass', stdin: 'replicator:hunter2-replication:abcdef' }]);
    expect(JSON.stringify(events)).not.toContain('hunter2');
  });

  it('cannot have credentials in its text', async () => {
    const world = new FakeWorld();
    const { planned } = setUp({
      operations: [operation('go', { text: 'echo @replication-password@', database: 'orders' })],
      driver: world.driver,
    });

    await expect(planned.run('go', { stdin: 'x' })).rejects.toMatchObject({ code: 'CHAOS_PLAN_DRIFT' });
    expect(world.commands).toEqual([]);
  });
});

describe('a statement', () => {
  const sqlSession = (query: SqlSession['query']): SqlConnector => ({
    connect: async () => ({ query, lost: new Promise(() => undefined), [Symbol.asyncDispose]: async () => undefined }),
  });
  const statement = (changes: Partial<Operation> = {}): Operation =>
    operation('ask', { via: 'sql', database: 'orders', text: 'SELECT @name@ AS name', ...changes });

  it('is sent with its values as literals, and gives rows', async () => {
    const sent: string[] = [];
    const sql = sqlSession(async (text) => {
      sent.push(text);
      return [{ name: 'x' }];
    });
    const { planned, events } = setUp({ operations: [statement()], sql });

    expect(await planned.run('ask', { variables: { name: "a'; DROP TABLE orders; --" } })).toMatchObject({
      exitCode: null,
      rows: [{ name: 'x' }],
    });
    expect(sent).toEqual(["SELECT 'a''; DROP TABLE orders; --' AS name"]);
    expect(events.at(-1)).toMatchObject({ ok: true, detail: '[{"name":"x"}]' });
  });

  it.each([30, 30.5])('that is not answered within %d ms fails', async (timeoutMs) => {
    const sql = sqlSession(
      (_text, _parameters, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    const { planned } = setUp({ operations: [statement({ text: 'SELECT 1', timeoutMs })], sql });

    await expect(planned.run('ask')).rejects.toMatchObject({ code: 'CHAOS_SQL', message: expect.stringContaining('no answer within') });
  });

  it('ends with the reason of a stop, not as a timeout', async () => {
    const stop = new AbortController();
    const sql = sqlSession(
      (_text, _parameters, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    );
    const { planned } = setUp({ operations: [statement({ text: 'SELECT 1' })], sql, signal: stop.signal });
    setTimeout(() => stop.abort(new Error('stopped')), 10);

    await expect(planned.run('ask')).rejects.toThrow('stopped');
  });

  it('without a database or to a node that is not in the plan is drift', async () => {
    const { planned } = setUp({
      operations: [
        operation('ask', { via: 'sql', text: 'SELECT 1' }),
        operation('elsewhere', { via: 'sql', text: 'SELECT 1', database: 'orders', target: 'web-2' }),
      ],
    });

    for (const id of ['ask', 'elsewhere']) await expect(planned.run(id)).rejects.toMatchObject({ code: 'CHAOS_PLAN_DRIFT' });
  });
});

describe('operations begun together', () => {
  const both = [operation('one', { changes: true }), operation('two', { target: 'web-2', changes: true })];

  it('begin only when all are ready, and give their results in order', async () => {
    const world = new FakeWorld();
    const { planned, events } = setUp({ operations: both, driver: world.driver });
    const recorded: number[] = [];
    world.answer = (_request, host) => {
      recorded.push(events.length);
      return { stdout: host };
    };

    const results = await planned.runTogether([{ id: 'one' }, { id: 'two' }]);

    expect(results.map(({ stdout }) => stdout)).toEqual(['web-1', 'web-2']);
    expect(recorded).toEqual([2, 2]);
    expect(events.map(({ type }) => type).toSorted()).toEqual([
      'operation.finished',
      'operation.finished',
      'operation.running',
      'operation.running',
    ]);
  });

  it('do not begin at all when one target cannot be made ready', async () => {
    const world = new FakeWorld();
    world.beforeConnect = async (host) => {
      if (host === 'web-2') throw new ChaosError('CHAOS_SSH_CONNECT', 'refused');
    };
    const { planned } = setUp({ operations: both, driver: world.driver });

    await expect(planned.runTogether([{ id: 'one' }, { id: 'two' }])).rejects.toMatchObject({ code: 'CHAOS_SSH_CONNECT' });
    expect(world.commands).toEqual([]);
  });

  it('all come to their end when some fail, and every failure is told', async () => {
    const world = new FakeWorld();
    const { planned, events } = setUp({ operations: both, driver: world.driver });
    world.answer = (_request, host) => ({ exitCode: host === 'web-1' ? 5 : 6, stderr: host });

    await expect(planned.runTogether([{ id: 'one' }, { id: 'two' }])).rejects.toThrow(/one: exit code 5: web-1.*two: exit code 6: web-2/);
    expect(events.filter(({ type }) => type === 'operation.finished')).toMatchObject([{ ok: false }, { ok: false }]);
  });
});
