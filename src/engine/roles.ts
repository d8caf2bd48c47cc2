/** Who is primary right now: asked from the database servers, never taken from a file, because a failover changes it. Reads only. */
import { ChaosError, describeError } from '../core/errors.ts';
import { mapLimit } from '../core/limit.ts';
import type { DatabaseCluster } from '../plan/plan.ts';
import type { Sessions } from './sessions.ts';

export type DatabaseRole = 'primary' | 'standby';

/** The role of each node by host. Rejects with `CHAOS_REFUSED` when a node cannot be asked: an unknown role is not a role. */
export async function askDatabaseRoles(
  sessions: Sessions,
  clusters: readonly DatabaseCluster[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, DatabaseRole>> {
  const nodes = clusters.flatMap((cluster) => cluster.nodes.map((node) => ({ cluster: cluster.name, host: node.host })));
  const roles = await mapLimit(nodes, 8, (node) => ask(sessions, node.cluster, node.host, signal), signal);
  return new Map(nodes.map((node, index) => [node.host, roles[index] ?? 'standby']));
}

async function ask(sessions: Sessions, cluster: string, host: string, signal: AbortSignal): Promise<DatabaseRole> {
  try {
    const session = await sessions.sql(host, cluster, signal);
    const [row] = await session.query('SELECT pg_is_in_recovery() AS standby', [], signal);
    return row?.standby === true ? 'standby' : 'primary';
  } catch (cause) {
    signal.throwIfAborted();
    throw new ChaosError('CHAOS_REFUSED', `the role of ${host} in database ${cluster} cannot be asked: ${describeError(cause)}`, {
      target: host,
      hint: `is the server on ${host} running, and are the credentials under databases.${cluster} right?`,
    });
  }
}
