/** The lab's own short conversations with its databases: setting them up, asking how they are. */
import { readFileSync } from 'node:fs';
import type { QueryResult } from 'pg';
import { ChaosError, describeError } from '../core/errors.ts';
import { type DatabaseHost, databaseName, databaseUsers, labPaths, labPorts, loopback } from './layout.ts';
import type { LabRecord } from './record.ts';
import { withClient } from './short-client.ts';

export type Query = (statement: string, parameters?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;

/** Connects to a node as the administrator, gives `work` a query function and closes. Rejects with `CHAOS_LAB`; connecting is bounded by `timeoutMs`, as is each query. */
export async function withAdmin<T>(
  lab: { readonly dir: string; readonly record: LabRecord },
  node: DatabaseHost,
  options: { readonly database?: string; readonly timeoutMs: number },
  work: (query: Query) => Promise<T>,
): Promise<T> {
  const config = {
    host: loopback,
    port: labPorts(lab.record.basePort).database[node],
    database: options.database ?? databaseName,
    user: databaseUsers.admin,
    password: readFileSync(labPaths(lab.dir).password('admin'), 'utf8').trim(),
    application_name: 'chaos-lab',
  };
  try {
    return await withClient(config, options.timeoutMs, (client) =>
      work(async (statement, parameters = []) => {
        const result: QueryResult<Record<string, unknown>> = await client.query(statement, [...parameters]);
        return result.rows;
      }),
    );
  } catch (cause) {
    if (cause instanceof ChaosError) throw cause;
    throw new ChaosError('CHAOS_LAB', `PostgreSQL on ${node}: ${describeError(cause)}`, { target: node, cause });
  }
}
