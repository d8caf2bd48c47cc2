import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../../../src/core/json.ts';
import { plan as planFailover } from '../../../../../src/faults/db-failover/postgresql/plan.ts';
import { DbFailoverParameters } from '../../../../../src/faults/db-failover/schema.ts';
import type { DatabaseCluster } from '../../../../../src/plan/plan.ts';
import { plannedHost } from '../../../../support/fault-run.ts';

function cluster(name: string, ...hosts: string[]): DatabaseCluster {
  return {
    name,
    engine: 'postgresql',
    database: 'shop',
    admin: { user: 'admin', password: 'admin-secret' },
    replication: { user: 'replicator', password: 'replication-secret' },
    nodes: hosts.map((host, index) => ({
      host,
      address: '10.0.0.1',
      port: 5432 + index,
      dataDir: `/var/lib/pg data/${host}`,
      binDir: '/usr/bin',
      start: `systemctl start ${name}`,
      stop: `systemctl stop ${name}`,
      fence: `systemctl mask ${name}`,
      unfence: `systemctl unmask ${name}`,
    })),
  };
}

function plan(parameters: JsonObject, databases = [cluster('orders', 'db-a', 'db-b')], targets = ['db-a']) {
  const hosts = ['db-a', 'db-b', 'db-c', 'web'].map(plannedHost);
  return planFailover({
    parameters: DbFailoverParameters.parse(parameters),
    targets: hosts.filter(({ id }) => targets.includes(id)),
    hosts,
    databases,
    step: 's1',
    maxDurationMs: 60_000,
  });
}

function mistakes(...args: Parameters<typeof plan>): string[] {
  const planned = plan(...args);
  return 'mistakes' in planned ? planned.mistakes.map(({ message }) => message) : [];
}

function operations(...args: Parameters<typeof plan>) {
  const planned = plan(...args);
  if ('mistakes' in planned) throw new Error(JSON.stringify(planned.mistakes));
  return planned.operations;
}

describe('refuses to plan', () => {
  const orders = cluster('orders', 'db-a', 'db-b');
  test.each([
    ['two targets', { mode: 'crash' }, [orders], ['db-a', 'db-b'], 'db-failover takes exactly one target, the primary; 2 were selected'],
    [
      'a host without a database',
      { mode: 'crash' },
      [orders],
      ['web'],
      'no database of the environment has a node on web; known databases: orders',
    ],
    ['an unknown database', { mode: 'crash', database: 'nope' }, [orders], ['db-a'], 'no database "nope"; known: orders'],
    ['a database elsewhere', { mode: 'crash', database: 'orders' }, [orders], ['web'], 'database orders has no node on web'],
    [
      'a lonely node',
      { mode: 'crash' },
      [cluster('orders', 'db-a')],
      ['db-a'],
      'database orders has one node only: there is nothing to fail over to',
    ],
    [
      'a choice of databases',
      { mode: 'crash' },
      [orders, cluster('stock', 'db-a', 'db-b')],
      ['db-a'],
      'db-a has nodes of several databases: say which with database: orders or stock',
    ],
  ])('for %s', (_what, parameters, databases, targets, message) => {
    expect(mistakes(parameters, databases, targets)).toEqual([message]);
  });
});

test.each([
  [{ mode: 'planned', stall: '1s' }, 'stall goes with mode crash only'],
  [{ mode: 'planned', promotion: 'observe' }, 'promotion observe goes with mode crash only: nothing promotes by itself after a clean stop'],
])('%j is a mistake: %s', (parameters, message) => {
  expect(DbFailoverParameters.safeParse(parameters).error?.issues[0]?.message).toBe(message);
});

test('marks the promotion, and only it, as the point of no return', () => {
  const marked = operations({ mode: 'crash' }).filter(({ pointOfNoReturn }) => pointOfNoReturn === true);

  expect(marked.map(({ id }) => id)).toEqual(['promote-db-b']);
});

test('kills, fences and promotes in that order, and stalls only when told to', () => {
  const inject = (parameters: JsonObject): string[] =>
    operations(parameters).flatMap(({ stage, changes, id }) => (stage === 'inject' && changes ? [id] : []));

  expect(inject({ mode: 'crash' })).toEqual(['crash-db-a', 'fence-db-a', 'promote-db-b']);
  expect(inject({ mode: 'crash', stall: '1s' })).toEqual(['stall-db-b', 'crash-db-a', 'cut-db-b', 'fence-db-a', 'promote-db-b']);
  expect(inject({ mode: 'planned' })).toEqual(['checkpoint-db-a', 'stop-db-a', 'fence-db-a', 'crash-db-a', 'promote-db-b']);
  expect(inject({ mode: 'crash', promotion: 'observe' })).toEqual(['crash-db-a', 'fence-db-a']);
});

test('leaves passwords out and quotes what the environment names', () => {
  const text = JSON.stringify(operations({ mode: 'crash' }));

  expect(text).not.toContain('secret');
  for (const { via, text: command } of operations({ mode: 'crash' })) {
    if (via !== 'sql') expect(command).not.toMatch(/(?<!')\/var\/lib\/pg data/);
  }
});

test('plans for every standby that could be promoted, and for the others to follow it', () => {
  const ids = operations({ mode: 'crash' }, [cluster('orders', 'db-a', 'db-b', 'db-c')]).map(({ id }) => id);

  expect(ids).toEqual(
    expect.arrayContaining(['promote-db-b', 'promote-db-c', 'follow-db-b-db-c', 'follow-db-c-db-b', 'rewind-from-db-c-db-a']),
  );
});
