import { describe, expect, it } from 'vitest';
import { ChaosError } from '../../../src/core/errors.ts';
import { milliseconds } from '../../../src/core/units.ts';
import type { SqlConnector, SqlEndpoint } from '../../../src/drivers/contract.ts';
import { askDatabaseRoles } from '../../../src/engine/roles.ts';
import { Sessions } from '../../../src/engine/sessions.ts';
import type { DatabaseCluster } from '../../../src/plan/plan.ts';
import { plannedHost } from '../../support/engine-plan.ts';
import { FakeWorld } from '../../support/engine-world.ts';

const never = new AbortController().signal;
const node = { address: '10.0.0.1', port: 5_432, dataDir: '/d', binDir: '/b', start: 'start', stop: 'stop' };
const orders: DatabaseCluster = {
  name: 'orders',
  engine: 'postgresql',
  database: 'shop',
  admin: { user: 'admin', password: 'ref:PW' },
  replication: { user: 'r' },
  nodes: [
    { ...node, host: 'web-1' },
    { ...node, host: 'web-2' },
  ],
};

/** Database sessions that count; `standby` names the hosts that are one. */
function fakeSql(standby: readonly string[] = []) {
  const endpoints: SqlEndpoint[] = [];
  const order: string[] = [];
  let open = 0;
  const connector: SqlConnector = {
    connect: async (endpoint, { via }) => {
      endpoints.push(endpoint);
      open++;
      const host = via !== undefined && 'target' in via ? String(via.target) : '';
      let lose: (error: Error) => void = () => undefined;
      const lost = new Promise<Error>((resolve) => {
        lose = resolve;
      });
      return {
        lost,
        query: async () => [{ standby: standby.includes(host) }],
        [Symbol.asyncDispose]: async () => {
          order.push(`sql ${host}`);
          open--;
          lose(new Error('closed'));
        },
      };
    },
  };
  return { connector, endpoints, order, open: () => open };
}

function setUp(world = new FakeWorld(), sql = fakeSql()) {
  const lost: string[] = [];
  const sessions = new Sessions({
    hosts: Array.from({ length: 40 }, (_item, index) => plannedHost(`web-${index + 1}`)),
    databases: [orders],
    driver: async () => world.driver,
    sql: sql.connector,
    secret: (text) => text.replace('ref:PW', 'resolved'),
    connectTimeout: milliseconds(1_000),
    onLost: (target) => void lost.push(target),
  });
  return { world, sql, sessions, lost };
}
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe('sessions', () => {
  it('are one a host, also for those who ask at once', async () => {
    const { sessions, world } = setUp();
    const got = await Promise.all([sessions.host('web-1', never), sessions.host('web-1', never), sessions.open(['web-1'], never)]);

    expect(got[0]).toBe(got[1]);
    expect(await sessions.host('web-1', never)).toBe(got[0]);
    expect(world.connects).toEqual(['web-1']);
  });

  it('are opened sixteen at a time', async () => {
    const world = new FakeWorld();
    let [now, most] = [0, 0];
    world.beforeConnect = async () => {
      most = Math.max(most, ++now);
      await settle();
      now--;
    };
    const { sessions } = setUp(world);
    await sessions.open(
      Array.from({ length: 40 }, (_item, index) => `web-${index + 1}`),
      never,
    );

    expect(most).toBe(16);
    expect(world.open.size).toBe(40);
  });

  it('that were lost are reported once and opened again on the next use', async () => {
    const { sessions, world, lost } = setUp();
    const first = await sessions.host('web-1', never);
    world.cut('web-1');
    await settle();

    const second = await sessions.host('web-1', never);
    expect(second).not.toBe(first);
    expect(lost).toEqual(['web-1']);
    expect(world.connects).toEqual(['web-1', 'web-1']);
  });

  it('that could not be opened are tried again on the next use', async () => {
    const { sessions, world } = setUp();
    world.beforeConnect = () => Promise.reject(new ChaosError('CHAOS_SSH_CONNECT', 'no route'));
    const both = await Promise.allSettled([sessions.host('web-1', never), sessions.host('web-1', never)]);
    expect(both.map((answer) => answer.status)).toEqual(['rejected', 'rejected']);

    world.beforeConnect = async () => undefined;
    expect((await sessions.host('web-1', never)).target).toBe('web-1');
  });

  it('are all closed on disposal, database first, without being reported as lost', async () => {
    const { sessions, world, lost, sql } = setUp();
    await sessions.sql('web-1', 'orders', never);
    await sessions.open(['web-1', 'web-2'], never);
    const [host] = world.open;
    await sessions[Symbol.asyncDispose]();
    await settle();

    expect(world.open.size).toBe(0);
    expect(sql.open()).toBe(0);
    expect(sql.order).toEqual(['sql web-1']);
    expect(host?.disposed).toBe(1);
    expect(lost).toEqual([]);
  });

  it('that come up while everything is being closed are closed too', async () => {
    const world = new FakeWorld();
    let connected: () => void = () => undefined;
    world.beforeConnect = () => new Promise((resolve) => (connected = resolve));
    const { sessions } = setUp(world);
    const late = sessions.host('web-1', never).catch((error: unknown) => error);
    await settle();
    await sessions[Symbol.asyncDispose]();
    connected();

    expect(await late).toMatchObject({ code: 'CHAOS_TARGET_LOST' });
    expect(world.open.size).toBe(0);
  });

  it('to a host that is not in the plan do not exist', async () => {
    const { sessions, world } = setUp();
    await expect(sessions.host('elsewhere', never)).rejects.toMatchObject({ code: 'CHAOS_PLAN_DRIFT' });
    await expect(sessions.sql('web-3', 'orders', never)).rejects.toMatchObject({ code: 'CHAOS_PLAN_DRIFT' });
    await expect(sessions.sql('web-1', 'other', never)).rejects.toMatchObject({ code: 'CHAOS_PLAN_DRIFT' });
    expect(world.connects).toEqual([]);
  });
});

describe('database sessions', () => {
  it('go through the host, with the password resolved at the moment of use, one a node', async () => {
    const { sessions, sql, world } = setUp();
    const got = await Promise.all([sessions.sql('web-1', 'orders', never), sessions.sql('web-1', 'orders', never)]);

    expect(got[0]).toBe(got[1]);
    expect(world.connects).toEqual(['web-1']);
    expect(sql.endpoints).toEqual([
      {
        engine: 'postgresql',
        address: '10.0.0.1',
        port: 5_432,
        database: 'shop',
        user: 'admin',
        password: 'resolved',
        applicationName: 'chaos',
      },
    ]);
  });

  it('are opened afresh after they were closed', async () => {
    const { sessions, sql } = setUp();
    const first = await sessions.sql('web-1', 'orders', never);
    await sessions.closeSql('web-1', 'orders');
    expect(sql.open()).toBe(0);
    await sessions.closeSql('web-1', 'orders');
    expect(await sessions.sql('web-1', 'orders', never)).not.toBe(first);
  });
});

describe('database roles', () => {
  it('are asked from every server', async () => {
    const { sessions } = setUp(new FakeWorld(), fakeSql(['web-2']));
    expect(Object.fromEntries(await askDatabaseRoles(sessions, [orders], never))).toEqual({ 'web-1': 'primary', 'web-2': 'standby' });
  });

  it('that cannot be asked are a refusal, never a guess', async () => {
    const { sessions, world } = setUp();
    world.beforeConnect = async (host) => {
      if (host === 'web-2') throw new ChaosError('CHAOS_SSH_CONNECT', 'no route');
    };
    await expect(askDatabaseRoles(sessions, [orders], never)).rejects.toMatchObject({
      code: 'CHAOS_REFUSED',
      target: 'web-2',
      message: expect.stringContaining('no route'),
    });
  });
});
