/**
 * The shell texts that make an old primary a standby again: its configuration, pg_rewind, a clone, the exchange of data folders. As those in
 * shell.ts they run as the owner of the data folder and may be done again after a runner died anywhere.
 */
import { shellQuote } from '../../../core/text.ts';
import type { DatabaseNode } from '../../../plan/plan.ts';
import { conninfoValue } from './names.ts';
import { cloneSuffix, keepDir, prologue, replacedSuffix, unlock } from './shell.ts';

/** Saves what is not PostgreSQL's own data: configuration, certificates, drop-in folders. Done once; what is saved is kept. */
export function saveConfigText(node: DatabaseNode): string {
  return `D=${shellQuote(node.dataDir)} K="$HOME/${keepDir}"
[ -d "$K/config" ] && exit 0
umask 077
rm -rf "$K/config.new" && mkdir -p "$K/config.new" && cd "$D" || exit 1
for f in * .[!.]*; do
  case $f in
    PG_VERSION|base|global|postmaster.*|current_logfiles|backup_label*|tablespace_map*|backup_manifest|standby.signal|recovery.signal|promote|*.log|log) continue ;;
    pg_hba.conf|pg_ident.conf) ;;
    pg_*) continue ;;
  esac
  [ -e "$f" ] || [ -L "$f" ] || continue
  cp -pPR "$f" "$K/config.new/" || exit 1
done
mv "$K/config.new" "$K/config"`;
}

/** Puts the saved files back: pg_rewind and a clone bring the other server's (port, cluster name, slot, certificates). */
function restoreConfig(target: string): string {
  return `[ -d "$HOME/${keepDir}/config" ] || exit 1
cp -pPR "$HOME/${keepDir}/config/." ${target} || exit 1`;
}

/** `standby.signal` is away while pg_rewind runs: the crash recovery that it begins with refuses it. The password comes by standard input. */
export function rewindText(node: DatabaseNode, source: DatabaseNode, database: string): string {
  const server = `host=${conninfoValue(source.address)} port=${source.port} dbname=${conninfoValue(database)} connect_timeout=10`;
  return `${prologue(node)}
${unlock}
IFS= read -r PGUSER; IFS= read -r PGPASSWORD
export PGUSER PGPASSWORD; [ -n "$PGPASSWORD" ] || unset PGPASSWORD
trap ': >>"$D/standby.signal"' EXIT
trap 'exit 1' HUP INT TERM
rm -f "$D/standby.signal" || exit 1
${shellQuote(`${node.binDir}/pg_rewind`)} --target-pgdata="$D" --source-server=${shellQuote(server)} || exit 1
${restoreConfig('"$D/"')}`;
}

/** Leaves an empty folder for the clone. */
export function clearCloneText(node: DatabaseNode): string {
  const clone = shellQuote(node.dataDir + cloneSuffix);
  return `umask 077; rm -rf ${clone} && mkdir ${clone}`;
}

/** Everything of a running server that a backup needs; its WAL comes by streaming, from the slot that was made before. */
export function readDataText(source: DatabaseNode): string {
  const left = [
    'postmaster.pid',
    'postmaster.opts',
    'standby.signal',
    'recovery.signal',
    'backup_label',
    'tablespace_map',
    'current_logfiles',
    'promote',
  ];
  const emptied = ['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans', 'log'];
  const excluded = [...left.map((name) => `./${name}`), ...emptied.map((name) => `./${name}/*`), '*/pgsql_tmp*', './*.log'];
  return `cd ${shellQuote(source.dataDir)} && tar ${excluded.map((pattern) => `--exclude='${pattern}'`).join(' ')} -cf - .`;
}

export function writeCloneText(node: DatabaseNode): string {
  return `cd ${shellQuote(node.dataDir + cloneSuffix)} && tar -xf -`;
}

/** Makes the copy a standby that starts from the backup's label (standard input), with the node's own configuration. */
export function finishCloneText(node: DatabaseNode): string {
  return `cd ${shellQuote(node.dataDir + cloneSuffix)} || exit 1
umask 077
cat >backup_label && [ -s backup_label ] || exit 1
: >standby.signal
mkdir -p pg_wal/archive_status || exit 1
chmod 700 .
${restoreConfig('.')}`;
}

/** Puts the clone in the place of the old data, which is kept until replication is proved. Goes on where a dead runner stopped. */
export function swapText(node: DatabaseNode): string {
  return `D=${shellQuote(node.dataDir)}
if [ ! -d "$D${replacedSuffix}" ]; then mv "$D" "$D${replacedSuffix}" || exit 1; fi
if [ ! -d "$D" ]; then mv "$D${cloneSuffix}" "$D" || exit 1; fi`;
}

/** Makes `node` a standby of `source`. User and password of the replication role come by standard input, one a line. */
export function followText(
  node: DatabaseNode,
  source: DatabaseNode,
  options: { readonly slot: string; readonly clearSync: boolean },
): string {
  const conninfo = `host=${conninfoValue(source.address)} port=${source.port} application_name=${conninfoValue(node.host)}`;
  const clear = options.clearSync ? `\n[ '@clear-sync@' = yes ] && sync='|synchronous_standby_names'` : '';
  return `F=${shellQuote(`${node.dataDir}/postgresql.auto.conf`)}
umask 077
: >>${shellQuote(`${node.dataDir}/standby.signal`)} || exit 1
sync=${clear}
IFS= read -r user; IFS= read -r password
value() { printf '%s' "$1" | sed 's/[\\\\'\\'']/\\\\&/g'; }
c=${shellQuote(conninfo)}" user='$(value "$user")'"
[ -z "$password" ] || c="$c password='$(value "$password")'"
c=$(printf '%s' "$c" | sed 's/[\\\\'\\'']/&&/g')
: >>"$F"
{ grep -Ev "^[[:space:]]*(primary_conninfo|primary_slot_name$sync)[[:space:]=]" "$F"
  printf "primary_conninfo = '%s'\\n" "$c"
  echo "primary_slot_name = '${options.slot}'"
  [ -z "$sync" ] || echo "synchronous_standby_names = ''"
} >"$F.chaos-@run@" && mv "$F.chaos-@run@" "$F"`;
}

/** The line that tells where the new timeline left the old one: `PARENT\\tPOSITION\\tREASON`. */
export function forkText(node: DatabaseNode): string {
  return `grep -v '^#' ${shellQuote(`${node.dataDir}/pg_wal/`)}'@timeline@.history' | grep . | tail -n 1`;
}

/** Removes what a failover leaves on the old primary; shared memory only where no process uses it. */
export function cleanUpText(node: DatabaseNode): string {
  return `D=${shellQuote(node.dataDir)} K="$HOME/${keepDir}"
if [ -d "$D${replacedSuffix}" ] && [ -f "$K/memory" ]; then
  read -r key id <"$K/memory"
  if command -v ipcs >/dev/null && command -v ipcrm >/dev/null && [ -n "$id" ]; then
    hex=$(printf '0x%08x' "$key")
    ipcs -m | awk -v h="$hex" -v i="$id" '$1 == h && $2 == i && $6 == 0 { print $2 }' | while read -r m; do ipcrm -m "$m"; done
  fi
  grep '^/dev/shm/PostgreSQL\\.[0-9]*$' "$K/memory" | while read -r f; do rm -f "$f"; done
fi
rm -rf "$D${replacedSuffix}" "$D${cloneSuffix}" "$K"
rm -f "$D/postgresql.auto.conf.chaos-@run@"`;
}
