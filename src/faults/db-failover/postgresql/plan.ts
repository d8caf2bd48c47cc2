/**
 * Spells out every operation of a PostgreSQL failover. Which standby is promoted is only known when it happens (the one with the most
 * WAL), so what depends on it is planned once for each standby that could be.
 */
import type { DatabaseCluster, DatabaseNode, PlannedHost } from '../../../plan/plan.ts';
import type { FaultMistake, FaultPlan, FaultRequest } from '../../contract.ts';
import type { DbFailoverParameters } from '../schema.ts';
import { injectOperations } from './plan-inject.ts';
import { readOperations } from './plan-read.ts';
import { backwardOperations, forwardOperations } from './plan-revert.ts';

/** What the operations are made from. */
export interface Scene {
  readonly cluster: DatabaseCluster;
  readonly primary: DatabaseNode;
  readonly standbys: readonly DatabaseNode[];
  readonly parameters: DbFailoverParameters;
}

export function plan(request: FaultRequest<DbFailoverParameters>): FaultPlan | { readonly mistakes: readonly FaultMistake[] } {
  const found = scene(request);
  if ('message' in found) return { mistakes: [found] };
  return {
    hosts: found.cluster.nodes.map((node) => node.host),
    operations: [...readOperations(found), ...injectOperations(found), ...backwardOperations(found), ...forwardOperations(found)],
    notes: notes(found),
    database: found.cluster.name,
  };
}

function scene({ parameters, targets, databases }: FaultRequest<DbFailoverParameters>): Scene | FaultMistake {
  const [target, ...others] = targets;
  if (target === undefined || others.length > 0)
    return { path: [], message: `db-failover takes exactly one target, the primary; ${targets.length} were selected` };
  const cluster = clusterOf(parameters.database, target, databases);
  if ('message' in cluster) return cluster;
  const primary = cluster.nodes.find((node) => node.host === target.id);
  if (primary === undefined) return { path: ['database'], message: `database ${cluster.name} has no node on ${target.id}` };
  const standbys = cluster.nodes.filter((node) => node !== primary);
  if (standbys.length === 0) return { path: [], message: `database ${cluster.name} has one node only: there is nothing to fail over to` };
  return { cluster, primary, standbys, parameters };
}

function clusterOf(name: string | undefined, target: PlannedHost, databases: readonly DatabaseCluster[]): DatabaseCluster | FaultMistake {
  const known = databases.map((cluster) => cluster.name).join(', ') || 'none';
  if (name !== undefined) {
    return (
      databases.find((cluster) => cluster.name === name) ?? {
        path: ['database'],
        message: `no database ${JSON.stringify(name)}; known: ${known}`,
      }
    );
  }
  const here = databases.filter((cluster) => cluster.nodes.some((node) => node.host === target.id));
  const [only] = here;
  if (only === undefined)
    return { path: [], message: `no database of the environment has a node on ${target.id}; known databases: ${known}` };
  if (here.length > 1) {
    return {
      path: [],
      message: `${target.id} has nodes of several databases: say which with database: ${here.map((cluster) => cluster.name).join(' or ')}`,
    };
  }
  return only;
}

function notes({ primary, standbys, parameters }: Scene): string[] {
  const names = standbys.map((node) => node.host).join(' or ');
  const lines = [
    `After the promotion ${primary.host} is not primary any more and stays a standby; switching back is a run of its own.`,
    `Rollback before the promotion starts ${primary.host} as it was; after it, ${primary.host} joins ${names} as a standby (${parameters.rejoin}).`,
  ];
  if (parameters.mode === 'crash')
    lines.push('Asynchronous replication can lose acknowledged writes in a crash; only a write ledger shows it.');
  if (parameters.stall !== undefined)
    lines.push(`Replication is stalled for ${parameters.stall} first: this is meant to lose writes unless replication is synchronous.`);
  return lines;
}
