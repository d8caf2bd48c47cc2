/** {@link PlannedOperations} over a driver and a database of the test's choice, with what was recorded. */
import { systemClock } from '../../src/core/clock.ts';
import { milliseconds } from '../../src/core/units.ts';
import type { HostDriver, SqlConnector } from '../../src/drivers/contract.ts';
import { Leases } from '../../src/engine/leases.ts';
import { PlannedOperations } from '../../src/engine/operations.ts';
import { Sessions } from '../../src/engine/sessions.ts';
import type { EventBody } from '../../src/journal/events.ts';
import type { DatabaseCluster, Operation } from '../../src/plan/plan.ts';
import { faultStep, plannedHost } from './engine-plan.ts';
import { noSql } from './engine-run.ts';
import { FakeWorld } from './engine-world.ts';

export const never = new AbortController().signal;
const orders: DatabaseCluster = {
  name: 'orders',
  engine: 'postgresql',
  database: 'shop',
  admin: { user: 'admin', password: 'ref:admin' },
  replication: { user: 'replicator', password: 'ref:replication' },
  nodes: [{ host: 'web-1', address: '127.0.0.1', port: 5_432, dataDir: '/d', binDir: '/b', start: 'start', stop: 'stop' }],
};

interface Setup {
  readonly operations: readonly Operation[];
  readonly driver?: HostDriver;
  readonly sql?: SqlConnector;
  readonly signal?: AbortSignal;
  readonly record?: (body: EventBody) => Promise<void>;
}

/** Secrets are `ref:x`, resolved to `hunter2-x`. */
export function setUp({ operations, driver = new FakeWorld().driver, sql = noSql, signal = never, record }: Setup) {
  const events: EventBody[] = [];
  const lost: string[] = [];
  const secret = (text: string): string => text.replace('ref:', 'hunter2-');
  const sessions = new Sessions({
    hosts: [plannedHost('web-1'), plannedHost('web-2')],
    databases: [orders],
    driver: async () => driver,
    sql,
    secret,
    connectTimeout: milliseconds(1_000),
    onLost: () => undefined,
  });
  const planned = new PlannedOperations({
    runId: 'abcdef',
    step: faultStep('s1', { operations: [...operations] }),
    sessions,
    leases: new Leases((target, detail) => void lost.push(`${target}: ${detail}`)),
    record: record ?? (async (body) => void events.push(body)),
    clock: systemClock,
    signal,
    secret,
  });
  return { planned, events, sessions, lost };
}
