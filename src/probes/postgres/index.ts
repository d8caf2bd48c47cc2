/** Asks a PostgreSQL database for one number at a fixed rate. Servers are reached through its context alone. */
import { ChaosError } from '../../core/errors.ts';
import type { DatabaseCluster } from '../../plan/plan.ts';
import { startAsking } from '../asking.ts';
import type { ProbeContext, ProbeDefinition, RunningProbe } from '../contract.ts';
import { parseEndpoint } from '../endpoint.ts';
import { isReference, longestSample, timing } from '../fields.ts';
import { PostgresSpec } from './schema.ts';

/** PostgreSQL cuts application names at 63 bytes. */
const mostNameLength = 45;
const mostClosingMs = 500;

export const postgresProbe: ProbeDefinition<PostgresSpec> = {
  kind: 'postgres',
  summary: 'Asks a PostgreSQL database for one number at a fixed rate; ok is exactly one, which is its value.',
  spec: PostgresSpec,
  gives: ['latency', 'value'],
  database: (spec) => spec.database,
  literalSecrets: ({ connection }) =>
    connection?.password === undefined || isReference(connection.password) ? [] : [['connection', 'password']],
  longestSampleMs: longestSample,
  start,
};

/** Throws `CHAOS_PROBE` when the plan has no such cluster, or the cluster no such node. */
function start(spec: PostgresSpec, context: ProbeContext): RunningProbe {
  const { sql, clock, origin, name, runId } = context;
  const { timeoutMs } = timing(spec);
  const options = {
    access: { sql, clock, cluster: clusterOf(spec, context), answerMs: Math.min(timeoutMs, mostClosingMs) },
    timeoutMs,
    applicationName: `chaos-${runId}/${name.replaceAll(/[^!-~]/g, '_').slice(0, mostNameLength)}`,
    query: spec.query,
    // A server that the file names is asked whatever it is.
    primaryOnly: spec.node === undefined && spec.connection === undefined,
    connections: spec.connections,
    now: () => clock.monotonic() - origin,
  };
  return startAsking(spec, context, async () => new (await import('./reader.ts')).NumberReader(options));
}

function clusterOf({ database, node, connection }: PostgresSpec, { name, databases }: ProbeContext): DatabaseCluster {
  if (connection !== undefined) return ofConnection(connection);
  const cluster = databases.find((candidate) => candidate.name === database);
  if (cluster === undefined) throw new ChaosError('CHAOS_PROBE', `probe ${name}: the plan has no database ${database}`, { target: name });
  const nodes = cluster.nodes.filter(({ host }) => node === undefined || host === node);
  if (nodes.length > 0) return { ...cluster, nodes };
  const known = cluster.nodes.map(({ host }) => host).join(', ');
  throw new ChaosError('CHAOS_PROBE', `probe ${name}: ${database} has no node ${node}`, { target: name, hint: `It has ${known}.` });
}

/** Only what connecting needs is looked at. */
function ofConnection({ address, database, user, password }: NonNullable<PostgresSpec['connection']>): DatabaseCluster {
  const { host, port } = parseEndpoint(address) ?? { host: address, port: 5432 };
  const account = { user, ...(password === undefined ? {} : { password }) };
  const unused = { dataDir: '', binDir: '', start: '', stop: '' };
  const nodes = [{ host, address: host, port, ...unused }];
  return { name: address, engine: 'postgresql', database, admin: account, replication: account, nodes };
}
