/** The operations of prepare, and the reads that every later stage uses again. */
import type { DatabaseNode, Operation } from '../../../plan/plan.ts';
import type { Scene } from './plan.ts';
import { hostText, stateText } from './shell.ts';
import { activitySql, positionSql, promotingSql, receiverSql, roleSql, sendersSql, serverSql, slotsSql, streamingSql } from './sql.ts';

/** A read answers at once or not at all. */
export const readTimeout = 10_000;

export function readOperations({ cluster, primary, standbys }: Scene): Operation[] {
  const nodes = [primary, ...standbys];
  const sql = (node: DatabaseNode, stage: Operation['stage'], id: string, purpose: string, text: string): Operation => ({
    id: `${id}-${node.host}`,
    target: node.host,
    stage,
    via: 'sql',
    purpose,
    text,
    database: cluster.name,
    changes: false,
    timeoutMs: readTimeout,
  });
  const shell = (node: DatabaseNode, stage: Operation['stage'], id: string, purpose: string, text: string): Operation => ({
    id: `${id}-${node.host}`,
    target: node.host,
    stage,
    via: 'shell',
    purpose,
    text,
    changes: false,
    timeoutMs: 60_000,
  });
  return [
    ...nodes.map((node) => shell(node, 'prepare', 'host', 'read what the host offers', hostText(node))),
    ...nodes.map((node) => sql(node, 'prepare', 'server', 'read role, version, settings', serverSql)),
    ...nodes.map((node) => sql(node, 'prepare', 'senders', 'read who streams from it, and how far behind', sendersSql)),
    sql(primary, 'prepare', 'activity', 'read what a failover would cut', activitySql),
    ...nodes.map((node) => sql(node, 'prepare', 'receiver', 'read what it streams', receiverSql)),
    ...nodes.map((node) => shell(node, 'inject', 'state', 'read what files and processes say', stateText(node))),
    ...nodes.map((node) => sql(node, 'verify', 'role', 'read role and timeline', roleSql)),
    ...standbys.map((node) => sql(node, 'inject', 'position', 'read how much WAL it has', positionSql)),
    ...standbys.map((node) => sql(node, 'revert', 'promoting', 'read whether a promotion is under way', promotingSql)),
    ...nodes.map((node) => sql(node, 'verify-reverted', 'streaming', 'read whether a standby streams from it', streamingSql)),
    ...nodes.map((node) => sql(node, 'verify-reverted', 'slots', 'read its replication slots', slotsSql)),
  ];
}
