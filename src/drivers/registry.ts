/**
 * Every driver and database connector there is, as explicit maps. Each is loaded when it is first asked for: `chaos validate` and
 * `chaos plan --help` must not pay for an SSH library. Adding a driver is one folder and one line here.
 */
import type { HostDriver, SqlConnector, SqlEndpoint } from './contract.ts';

const drivers: Readonly<Record<HostDriver['kind'], () => Promise<HostDriver>>> = {
  ssh: async () => (await import('./ssh/index.ts')).sshDriver,
};

const connectors: Readonly<Record<SqlEndpoint['engine'], () => Promise<SqlConnector>>> = {
  postgresql: async () => (await import('./sql/postgresql.ts')).postgresqlConnector,
};

export const driverKinds = Object.keys(drivers) as readonly HostDriver['kind'][];

/** The driver that reaches hosts of this kind. */
export function driverFor(kind: HostDriver['kind']): Promise<HostDriver> {
  return drivers[kind]();
}

/** The connector for databases of this engine. */
export function sqlConnectorFor(engine: SqlEndpoint['engine']): Promise<SqlConnector> {
  return connectors[engine]();
}
