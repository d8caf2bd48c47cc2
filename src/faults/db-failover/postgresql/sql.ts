/**
 * The SQL texts, and what their rows look like. `@name@` becomes a quoted literal. Positions are casts to text: they have 64 bits. Each
 * statement stands alone, so that it can be tried by hand as it is printed in the plan.
 */
import * as z from 'zod';

/** Position of the standby: receive alone can fall back to the start of its segment when the receiver restarts. */
export const positionSql = `SELECT pg_is_in_recovery() AS recovery, GREATEST(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text AS position`;
export const PositionRow = z.object({ recovery: z.boolean(), position: z.string().nullable() });

/** The timeline comes from the WAL file's name: pg_control_checkpoint() shows the old one until the first checkpoint. */
export const roleSql = `SELECT pg_is_in_recovery() AS recovery,
  CASE WHEN pg_is_in_recovery() THEN NULL ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline`;
export const RoleRow = z.object({ recovery: z.boolean(), timeline: z.string().nullable() });

export const serverSql = `SELECT current_setting('server_version_num')::int AS version,
  (SELECT system_identifier::text FROM pg_control_system()) AS system,
  (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
  current_user::text AS "user",
  pg_is_in_recovery() AS recovery,
  CASE WHEN pg_is_in_recovery() THEN NULL ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline,
  current_setting('data_directory') AS data_directory,
  current_setting('port') AS port,
  current_setting('cluster_name') AS cluster_name,
  current_setting('synchronous_standby_names') AS sync_names,
  (current_setting('wal_log_hints') = 'on' OR current_setting('data_checksums') = 'on')
    AND current_setting('full_page_writes') = 'on' AS can_rewind,
  current_setting('max_replication_slots')::int - (SELECT count(*) FROM pg_replication_slots)::int AS free_slots,
  (SELECT count(*) FROM pg_hba_file_rules WHERE 'replication' = ANY (database) AND error IS NULL)::int AS replication_rules,
  (SELECT count(*) FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global'))::int AS tablespaces,
  COALESCE((SELECT string_agg(slot_name::text, ',') FROM pg_replication_slots WHERE slot_type = 'physical' AND NOT active), '') AS idle_slots`;
export const ServerRow = z.object({
  version: z.int(),
  system: z.string(),
  superuser: z.boolean(),
  user: z.string(),
  recovery: z.boolean(),
  timeline: z.string().nullable(),
  data_directory: z.string(),
  port: z.string(),
  cluster_name: z.string(),
  sync_names: z.string(),
  can_rewind: z.boolean(),
  free_slots: z.int(),
  replication_rules: z.int(),
  tablespaces: z.int(),
  idle_slots: z.string(),
});
export type ServerRow = z.infer<typeof ServerRow>;

export const sendersSql = `SELECT r.application_name AS name, r.state,
  pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn)::text AS lag_bytes,
  extract(epoch FROM now() - r.reply_time)::float8 AS reply_age,
  s.slot_name::text AS slot,
  has_function_privilege(r.usename, 'pg_read_binary_file(text,bigint,bigint,boolean)', 'execute')
    AND has_function_privilege(r.usename, 'pg_read_binary_file(text)', 'execute')
    AND has_function_privilege(r.usename, 'pg_ls_dir(text,boolean,boolean)', 'execute')
    AND has_function_privilege(r.usename, 'pg_stat_file(text,boolean)', 'execute') AS may_rewind
  FROM pg_stat_replication r LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid`;
export const SenderRow = z.object({
  name: z.string(),
  state: z.string().nullable(),
  lag_bytes: z.string().nullable(),
  reply_age: z.number().nullable(),
  slot: z.string().nullable(),
  may_rewind: z.boolean(),
});
export type SenderRow = z.infer<typeof SenderRow>;

export const receiverSql = `SELECT pid, status, received_tli, conninfo, pg_is_wal_replay_paused() AS paused FROM pg_stat_wal_receiver`;
export const ReceiverRow = z.object({
  pid: z.int(),
  status: z.string().nullable(),
  received_tli: z.int().nullable(),
  conninfo: z.string().nullable(),
  paused: z.boolean(),
});

export const activitySql = `SELECT (SELECT count(*) FROM pg_prepared_xacts)::int AS prepared,
  (SELECT count(*) FROM pg_stat_progress_basebackup)::int AS backups,
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND xact_start < now() - interval '5 min')::int AS long_transactions,
  COALESCE((SELECT max(extract(epoch FROM now() - xact_start)) FROM pg_stat_activity WHERE backend_type = 'client backend'), 0)::float8 AS longest`;
export const ActivityRow = z.object({ prepared: z.int(), backups: z.int(), long_transactions: z.int(), longest: z.number() });

/** Signs that a promotion may still be under way after the runner that asked for it has died. */
export const promotingSql = `SELECT pg_is_in_recovery() AS recovery,
  (SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active' AND query ILIKE '%pg_promote(%')::int AS calls,
  pg_last_wal_replay_lsn()::text AS replayed`;
export const PromotingRow = z.object({ recovery: z.boolean(), calls: z.int(), replayed: z.string().nullable() });

/** `SET LOCAL`: the marker must not wait for a standby that is not there yet. */
export const markerSql = `DO $$ BEGIN
  SET LOCAL synchronous_commit = local;
  CREATE SCHEMA IF NOT EXISTS chaos;
  CREATE TABLE IF NOT EXISTS chaos.marker (id text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
  INSERT INTO chaos.marker (id) VALUES (@marker@) ON CONFLICT (id) DO UPDATE SET at = now();
END $$`;
export const readMarkerSql = `SELECT count(*)::int AS found FROM chaos.marker WHERE id = @marker@`;
export const FoundRow = z.object({ found: z.int() });
export const dropMarkerSql = `DO $$ BEGIN
  SET LOCAL synchronous_commit = local;
  DROP TABLE IF EXISTS chaos.marker;
END $$`;

/** `ahead`: a standby that has replayed more than the primary has written has diverged, whatever its state says. */
export const streamingSql = `SELECT state, (replay_lsn > pg_current_wal_lsn()) AS ahead, sync_state FROM pg_stat_replication WHERE application_name = @name@`;
export const StreamingRow = z.object({ state: z.string().nullable(), ahead: z.boolean().nullable(), sync_state: z.string().nullable() });

export const slotsSql = `SELECT slot_name::text AS name, active FROM pg_replication_slots WHERE slot_type = 'physical'`;
export const SlotRow = z.object({ name: z.string(), active: z.boolean() });
export const createSlotSql = `SELECT pg_create_physical_replication_slot(@slot@, true)
  WHERE NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE slot_name = @slot@)`;
export const dropSlotSql = `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
  WHERE slot_name = @slot@ AND slot_type = 'physical' AND NOT active`;

export const LabelRow = z.object({ labelfile: z.string(), spcmapfile: z.string().nullable() });
/** PostgreSQL 15 renamed both functions. */
export const backupSql = {
  start: `SELECT pg_backup_start('chaos-' || @run@, true)::text AS position`,
  stop: `SELECT labelfile, spcmapfile FROM pg_backup_stop(false)`,
  start14: `SELECT pg_start_backup('chaos-' || @run@, true, false)::text AS position`,
  stop14: `SELECT labelfile, spcmapfile FROM pg_stop_backup(false, false)`,
} as const;
