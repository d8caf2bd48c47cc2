/** Chooses, before anything is broken, how the old primary could join again: by pg_rewind or by a clone, from what its host offers. */
import { ChaosError } from '../../../core/errors.ts';
import type { DbFailoverParameters } from '../schema.ts';
import type { SenderRow, ServerRow } from './sql.ts';

const leastFreeKib = 64 * 1_024;

export interface Node {
  readonly host: string;
  readonly facts: ReadonlyMap<string, string>;
  readonly server: ServerRow;
}

export interface Standby extends Node {
  readonly sender: SenderRow;
}

/** Rewinding moves little data; cloning always works where there is room. One of them must be possible before anything is broken. */
export function rejoinWay(
  { rejoin }: DbFailoverParameters,
  primary: Node,
  standbys: readonly Standby[],
): { rejoin: 'rewind' | 'clone'; mayClone: boolean } {
  const noRewind = whyNotRewind(primary, standbys);
  const noClone = whyNotClone(primary, standbys);
  if (rejoin === 'rewind' && noRewind !== undefined) throw refuse(primary.host, `it cannot be rewound: ${noRewind.why}`, noRewind.fix);
  if (rejoin === 'clone' && noClone !== undefined) throw refuse(primary.host, `it cannot be cloned: ${noClone.why}`, noClone.fix);
  if (noRewind !== undefined && noClone !== undefined) {
    throw refuse(
      primary.host,
      `it could not join again: rewind: ${noRewind.why}; clone: ${noClone.why}`,
      `${noRewind.fix}; or ${noClone.fix}`,
    );
  }
  return {
    rejoin: rejoin === 'clone' || noRewind !== undefined ? 'clone' : 'rewind',
    mayClone: rejoin !== 'rewind' && noClone === undefined,
  };
}

interface Obstacle {
  readonly why: string;
  readonly fix: string;
}

function whyNotRewind({ facts, server }: Node, standbys: readonly Standby[]): Obstacle | undefined {
  if (facts.get('pg_rewind') !== 'yes') return { why: 'binDir has no pg_rewind', fix: 'install the server package that brings it' };
  if (!server.can_rewind)
    return { why: 'neither wal_log_hints nor data checksums are on', fix: 'set wal_log_hints = on and full_page_writes = on' };
  if (facts.get('conf') !== 'yes')
    return { why: 'postgresql.conf is outside the data folder, where pg_rewind cannot use it', fix: 'let it be cloned' };
  if (!standbys.every(({ sender }) => sender.may_rewind)) {
    return { why: 'the replication role may not read files', fix: 'grant it EXECUTE on pg_ls_dir, pg_stat_file and pg_read_binary_file' };
  }
  return notEnoughRoom(facts, Math.max(leastFreeKib, number(facts, 'used') * 0.1));
}

function whyNotClone({ facts, server }: Node, standbys: readonly Standby[]): Obstacle | undefined {
  const all = [facts, ...standbys.map((standby) => standby.facts)];
  if (server.tablespaces > 0) return { why: `${server.tablespaces} tablespace(s) lie outside the data folder`, fix: 'use rejoin: rewind' };
  if (all.some((one) => one.get('tar') !== 'yes')) {
    return { why: 'there is no tar, or one without --exclude', fix: 'install GNU tar' };
  }
  if (all.some((one) => one.get('wal-link') !== 'no')) return { why: 'pg_wal is a symbolic link', fix: 'use rejoin: rewind' };
  if (facts.get('link') !== 'no' || facts.get('mount') === facts.get('real')) {
    return {
      why: 'the data folder is a symbolic link or a mount point and cannot be exchanged',
      fix: 'use a folder below the mount point',
    };
  }
  if (facts.get('parent') !== 'yes') return { why: 'the login may not write beside the data folder', fix: 'let it own the parent folder' };
  return notEnoughRoom(facts, Math.max(leastFreeKib, number(facts, 'used') * 1.2));
}

function notEnoughRoom(facts: ReadonlyMap<string, string>, neededKib: number): Obstacle | undefined {
  const free = number(facts, 'free');
  if (free >= neededKib) return undefined;
  const mib = (kib: number): string => `${Math.ceil(kib / 1_024)} MiB`;
  return { why: `${mib(free)} are free, ${mib(neededKib)} are needed`, fix: 'make room on the disk of the data folder' };
}

function number(facts: ReadonlyMap<string, string>, key: string): number {
  const value = Number.parseInt(facts.get(key) ?? '', 10);
  return Number.isFinite(value) ? value : Number.NaN;
}

/** The refusal of prepare: reason with numbers, and what would make it pass. */
export function refuse(target: string, why: string, hint: string, cause?: unknown): ChaosError {
  return new ChaosError('CHAOS_REFUSED', `${target}: ${why}`, { target, hint, cause });
}
