/**
 * `lab.json`, the one record of a lab. The starter writes it once; from then on only the keeper does. Everything needed to take a lab
 * down after its keeper was killed stands in it. No secrets.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';

/** A process that cannot be mistaken for a later one with the same number. */
export const ProcessIdentity = z.strictObject({
  pid: z.int().min(1),
  /** When it started, in whatever form the system tells; compared, never shown. */
  start: z.string(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/** An account of the system. */
export const Account = z.strictObject({ name: z.string(), uid: z.int(), gid: z.int() });
export type Account = z.infer<typeof Account>;

/** PostgreSQL as this lab uses it. */
export const PostgresInstallation = z.strictObject({
  binDir: z.string(),
  /** `18.4`. */
  version: z.string(),
});
export type PostgresInstallation = z.infer<typeof PostgresInstallation>;

export const LabRecord = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  state: z.enum(['starting', 'up', 'stopping', 'failed']),
  /** UTC, ISO 8601. */
  startedAt: z.string(),
  starter: ProcessIdentity,
  keeper: ProcessIdentity.optional(),
  owner: ProcessIdentity.extend({ lingerMs: z.number().min(0) }).optional(),
  replication: z.enum(['sync', 'async']),
  postgres: PostgresInstallation,
  /** Who the database hosts run as; absent: as the keeper itself. */
  databaseAccount: Account.optional(),
  /** Who the other hosts run as; absent: as the keeper itself. */
  serviceAccount: Account.optional(),
  basePort: z.int().min(1),
  failure: z.strictObject({ summary: z.string(), hint: z.string().optional(), portTaken: z.boolean() }).optional(),
});
export type LabRecord = z.infer<typeof LabRecord>;

/** The record in `dir`; `undefined` when there is none or it is not one of ours. */
export function readRecord(dir: string): LabRecord | undefined {
  try {
    return LabRecord.parse(JSON.parse(readFileSync(join(dir, 'lab.json'), 'utf8')));
  } catch {
    return undefined;
  }
}

/** Replaces the record in one step: a reader sees the old one or the new one. */
export function writeRecord(dir: string, record: LabRecord): void {
  const next = join(dir, `lab.json.${process.pid}`);
  writeFileSync(next, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, join(dir, 'lab.json'));
}
