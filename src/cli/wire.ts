/** Builds the parts and hands them to each other; the one place that knows them all. */
import { hostname, userInfo } from 'node:os';
import { systemClock } from '../core/clock.ts';
import { milliseconds } from '../core/units.ts';
import type { SqlConnector } from '../drivers/contract.ts';
import { driverFor, sqlConnectorFor } from '../drivers/registry.ts';
import { Sessions } from '../engine/sessions.ts';
import type { References } from '../environment/references.ts';
import type { DatabaseCluster, PlannedHost } from '../plan/plan.ts';

export const clock = systemClock;

/** Who runs this, for the record. */
export function operator(): string {
  const { SUDO_USER } = process.env;
  try {
    return SUDO_USER === undefined ? userInfo().username : `${SUDO_USER} (sudo)`;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

export const machine = hostname();

export function sqlConnector(): Promise<SqlConnector> {
  return sqlConnectorFor('postgresql');
}

/** Sessions over the given hosts; `onLost` hears of connections that break. */
export async function openSessions(
  place: { readonly hosts: readonly PlannedHost[]; readonly databases: readonly DatabaseCluster[] },
  references: References,
  onLost: (target: string, error: Error) => void,
): Promise<Sessions> {
  return new Sessions({
    hosts: place.hosts,
    databases: place.databases,
    driver: driverFor,
    sql: await sqlConnector(),
    secret: (text) => references.resolve(text),
    connectTimeout: milliseconds(15_000),
    onLost,
  });
}
