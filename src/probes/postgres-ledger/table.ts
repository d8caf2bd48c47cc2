/** The ledger's table: one row a write. It stays in the database between runs; the rows of a run are removed when they have been read. */
import type { SqlSession } from '../../drivers/contract.ts';
import { sampleError } from '../errors.ts';

const createTable = `CREATE TABLE IF NOT EXISTS chaos.drill (
  run text NOT NULL, seq bigint NOT NULL, ts timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (run, seq))`;

/** Two sessions that create the same thing at the same time: one of them gets one of these in spite of IF NOT EXISTS. */
const createdByAnother = /^sql (?:23505|42P06|42P07)$/;

/** Makes sure of the table. A standby promoted before it had the table needs it made again. */
export async function ensureTable(session: SqlSession, signal: AbortSignal): Promise<void> {
  if (await hasTable(session, signal)) return;
  for (const statement of ['CREATE SCHEMA IF NOT EXISTS chaos', createTable]) {
    try {
      await session.query(statement, [], signal);
    } catch (error) {
      if (!createdByAnother.test(sampleError(error))) throw error;
    }
  }
}

export async function hasTable(session: SqlSession, signal: AbortSignal): Promise<boolean> {
  const [row] = await session.query(`SELECT to_regclass('chaos.drill') IS NOT NULL AS there`, [], signal);
  return row?.there === true;
}

/** Rows that a run left because it was killed; a day is longer than any run. */
export async function removeOldRows(session: SqlSession, signal: AbortSignal): Promise<void> {
  await session.query(`DELETE FROM chaos.drill WHERE ts < now() - interval '1 day'`, [], signal);
}

export async function insertRow(session: SqlSession, run: string, seq: number, signal: AbortSignal): Promise<void> {
  await session.query('INSERT INTO chaos.drill (run, seq) VALUES ($1, $2)', [run, seq], signal);
}

const pageRows = 10_000;

/** The numbers of all writes of `run` that are there, in order. */
export async function* readRows(session: SqlSession, run: string, signal: AbortSignal): AsyncGenerator<number> {
  for (let last = -1; ; ) {
    const rows = await session.query(
      `SELECT seq FROM chaos.drill WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT ${pageRows}`,
      [run, last],
      signal,
    );
    for (const row of rows) {
      last = Number(row.seq);
      yield last;
    }
    if (rows.length < pageRows) return;
  }
}

/** Waits for no standby: with one missing, a synchronous commit would hang for something that is only cleaning up. */
export async function removeRun(session: SqlSession, run: string, signal: AbortSignal): Promise<void> {
  await session.query('SET synchronous_commit = local', [], signal);
  await session.query('DELETE FROM chaos.drill WHERE run = $1', [run], signal);
}

/**
 * Ends the sessions whose application name begins with `prefix`, our own excepted; gives how many there were. A write whose connection
 * was given up may hang on in the server, waiting for a lock or for a synchronous standby, and take up one of its connections.
 */
export async function endSessions(session: SqlSession, prefix: string, signal: AbortSignal): Promise<number> {
  const statement = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE left(application_name, length($1::text)) = $1::text AND pid <> pg_backend_pid()`;
  return (await session.query(statement, [prefix], signal)).length;
}
