/** The undo record of a PostgreSQL failover: all that a revert by another process needs beside the plan. Plain data, no secrets. */
import * as z from 'zod';

export const FailoverUndo = z.strictObject({
  engine: z.literal('postgresql'),
  database: z.string(),
  mode: z.enum(['crash', 'planned']),
  promotion: z.enum(['perform', 'observe']),
  /** The host of the primary that was there before. */
  primary: z.string(),
  /** `name`: as it shows in pg_stat_replication. `slot`: the one it streamed through. */
  standbys: z.array(z.strictObject({ host: z.string(), name: z.string(), slot: z.string().optional() })).min(1),
  systemIdentifier: z.string(),
  /** Eight hexadecimal digits: what a WAL file's name begins with. */
  timeline: z.string(),
  /** `server_version_num` of all nodes, for example 150018. */
  version: z.int(),
  /** Data folder by host, for people who have to continue by hand. */
  dataDirs: z.record(z.string(), z.string()),
  /** `synchronous_standby_names` by host before. */
  syncNames: z.record(z.string(), z.string()),
  /** Physical slots by host that were there before and unused: not ours to drop. */
  idleSlots: z.record(z.string(), z.array(z.string())),
  rejoin: z.enum(['rewind', 'clone']),
  /** May it be cloned when rewinding fails? */
  mayClone: z.boolean(),
  /** Folder under the login's home on the old primary that keeps its configuration; `@run@` is the run's id. */
  configBackup: z.string(),
});
export type FailoverUndo = z.infer<typeof FailoverUndo>;
