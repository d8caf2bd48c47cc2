/** How the database nodes are started, stopped and named: what the environment file tells and the keeper does itself. */
import { join } from 'node:path';
import { shellQuote } from '../core/text.ts';
import type { Lab } from './host-environment.ts';
import { type DatabaseHost, type databaseUsers, labPaths, labPorts } from './layout.ts';

/** Passwords by the account inside PostgreSQL. */
export type Passwords = Readonly<Record<keyof typeof databaseUsers, string>>;

/** The shell commands that start and stop a node; port and name stand in them so that a data folder copied from the peer starts as this node. */
export function nodeCommands(lab: Lab, node: DatabaseHost): { readonly start: string; readonly stop: string } {
  const paths = labPaths(lab.dir);
  const control = `${shellQuote(join(lab.record.postgres.binDir, 'pg_ctl'))} -D ${shellQuote(paths.data(node))}`;
  const options = shellQuote(`-p ${labPorts(lab.record.basePort).database[node]} -c cluster_name=${node}`);
  return {
    start: `${control} -o ${options} -l ${shellQuote(paths.postgresLog(node))} -w -t 30 start`,
    stop: `${control} -m fast -w -t 30 stop`,
  };
}

/** The physical replication slot of a node, on its primary. */
export function slotOf(node: DatabaseHost): string {
  return node.replaceAll('-', '_');
}
