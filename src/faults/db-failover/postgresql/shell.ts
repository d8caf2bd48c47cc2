/**
 * The shell texts for one PostgreSQL server: POSIX sh with ps, sed, awk, od, tar. They run as the owner of the data folder. Each is
 * idempotent: a runner may have died right before, in the middle of, or right after any of them.
 */
import { shellQuote } from '../../../core/text.ts';
import type { DatabaseNode } from '../../../plan/plan.ts';
import { aliveFunction, napFunction } from '../../shell.ts';

/** Exit codes that are answers and not failures. */
export const answers = { yes: 0, no: 3 } as const;

/** Beside the data folder: the clone that is being made, and the data that it replaces. */
export const cloneSuffix = '.chaos-@run@';
export const replacedSuffix = '.chaos-@run@-replaced';
/** Under the login's home: saved configuration, and what the killed server left in shared memory. */
export const keepDir = 'chaos-@run@';

/** `D`, `B`, and `postmaster`: prints the pid of the living server of exactly this data folder. */
export function prologue(node: DatabaseNode): string {
  return `D=${shellQuote(node.dataDir)} B=${shellQuote(node.binDir)}
${aliveFunction}
${napFunction}
postmaster() {
  p=
  read -r p 2>/dev/null <"$D/postmaster.pid" || [ -n "$p" ] || return 1
  case $p in *[!0-9]*|''|0|1) return 1 ;; esac
  alive "$p" || return 1
  if [ -r /proc/self/stat ]; then [ "$(readlink "/proc/$p/cwd")" = "$(cd "$D" && pwd -P)" ] || return 1
  else ps -o args= -p "$p" | grep -q postgres || return 1; fi
  echo "$p"
}`;
}

/** Reads what the files and processes say: `key=value` lines. */
export function stateText(node: DatabaseNode): string {
  return `${prologue(node)}
has() { if [ -e "$1" ]; then echo yes; else echo no; fi; }
echo "running=$(postmaster)"
echo "signal=$(has "$D/standby.signal")"
echo "promote=$(has "$D/promote")"
echo "replaced=$(has "$D${replacedSuffix}")"
echo "clone=$(has "$D${cloneSuffix}")"
echo "kept=$(has "$HOME/${keepDir}")"
if [ -r "$D/global/pg_control" ]; then
  if [ -x "$B/pg_controldata" ]; then
    LC_ALL=C "$B/pg_controldata" -D "$D" | sed -n 's/^Database cluster state: *\\(.*\\)/control=\\1/p; s/^Latest checkpoint location: *\\(.*\\)/checkpoint=\\1/p'
  else
    # ControlFileData of PostgreSQL 14 to 18: state, uint32 at byte 16 (1 is "shut down"); checkPoint, uint64 at byte 32.
    if [ "$(od -An -tu4 -j16 -N4 "$D/global/pg_control" | tr -d ' ')" = 1 ]; then echo 'control=shut down'; else echo 'control=other'; fi
    echo "checkpoint=$(od -An -tx8 -j32 -N8 "$D/global/pg_control" | tr -d ' ' | sed 's/^\\(........\\)/\\1\\//')"
  fi
fi`;
}

/** What prepare must know of the host: `key=value` lines. Sizes in KiB. */
export function hostText(node: DatabaseNode): string {
  return `D=${shellQuote(node.dataDir)} B=${shellQuote(node.binDir)}
yes() { if "$@"; then echo yes; else echo no; fi; }
echo "dir=$(yes [ -d "$D" ])"
echo "owner=$(yes [ -O "$D" ])"
echo "link=$(yes [ -L "$D" ])"
echo "mount=$(df -Pk "$D" | awk 'NR == 2 { print $6 }')"
echo "real=$(cd "$D" && pwd -P)"
echo "port=$(sed -n 4p "$D/postmaster.pid" 2>/dev/null)"
echo "parent=$(yes [ -w "$D/.." ])"
echo "wal-link=$(yes [ -L "$D/pg_wal" ])"
echo "conf=$(yes [ -f "$D/postgresql.conf" ])"
echo "signal=$(yes [ -e "$D/standby.signal" ])"
echo "used=$(du -sk "$D" 2>/dev/null | awk '{ print $1 }')"
echo "free=$(df -Pk "$D" | awk 'NR == 2 { print $4 }')"
for tool in postgres pg_rewind; do echo "$tool=$(yes [ -x "$B/$tool" ])"; done
if tar --exclude=x -cf - "$D/PG_VERSION" >/dev/null 2>&1; then echo tar=yes; else echo tar=no; fi
for tool in od awk; do if command -v "$tool" >/dev/null 2>&1; then echo "$tool=yes"; else echo "$tool=no"; fi; done`;
}

/** Ends the server and all its backends at once, as a power cut would; `standby.signal` is there first, so that whoever starts it gets no primary. */
export function crashText(node: DatabaseNode): string {
  return `${prologue(node)}
pid=$(postmaster) || { echo 'no server is running on this data folder'; exit ${answers.no}; }
mkdir -p "$HOME/${keepDir}"
{ sed -n 7p "$D/postmaster.pid"; grep -o '/dev/shm/PostgreSQL\\.[0-9]*' "/proc/$pid/maps" 2>/dev/null | sort -u; } >"$HOME/${keepDir}/memory"
backends=$(ps -A -o pid= -o ppid= | awk -v p="$pid" '$2 == p { print $1 }')
: >>"$D/standby.signal"
kill -9 "$pid" || exit 1
n=0
while :; do
  left=; for b in $pid $backends; do alive "$b" && left="$left $b"; done
  [ -z "$left" ] && exit ${answers.yes}
  # Orphans notice within moments; one that is busy in a query does not, and could still commit.
  [ "$n" -eq 20 ] && kill -9 $left 2>/dev/null
  [ "$n" -ge 100 ] && { echo "still alive:$left" >&2; exit 1; }
  n=$((n + 1)); nap
done`;
}

/** Stops the server cleanly with the environment's own command; `standby.signal` first, as above. */
export function stopText(node: DatabaseNode): string {
  return `: >>${shellQuote(`${node.dataDir}/standby.signal`)} || exit 1
${node.stop}`;
}

/**
 * A killed server leaves its lock file, and the next start refuses while *any* process has that pid: also a zombie that a lazy init has not
 * reaped yet, or a stranger that was given the number. The shared memory it names is found by the data folder as well.
 */
export const unlock = 'postmaster >/dev/null || rm -f "$D/postmaster.pid"';

/** Starts the server with the environment's own command. */
export function startText(node: DatabaseNode): string {
  return `${prologue(node)}
${unlock}
${node.start}`;
}

/** Whoever starts the server again gets a read-only standby. The environment's fence keeps a supervisor from trying. */
export function fenceText(node: DatabaseNode): string {
  return `: >>${shellQuote(`${node.dataDir}/standby.signal`)} || exit 1${node.fence === undefined ? '' : `\n${node.fence}`}`;
}

/** As it was before the fence. */
export function unfenceText(node: DatabaseNode): string {
  return `rm -f ${shellQuote(`${node.dataDir}/standby.signal`)} || exit 1${node.unfence === undefined ? '' : `\n${node.unfence}`}`;
}

/** Takes the fence away and leaves `standby.signal`: it may start again, as a standby. */
export function openText(node: DatabaseNode): string {
  return `: >>${shellQuote(`${node.dataDir}/standby.signal`)} || exit 1${node.unfence === undefined ? '' : `\n${node.unfence}`}`;
}

/** Stops the WAL receiver, found as the server's child, or lets it go on (`CONT`), or ends it with what it has not read yet (`cut`). */
export function receiverText(node: DatabaseNode, action: 'stall' | 'cut' | 'resume'): string {
  const signals = { stall: 'kill -STOP "$r"', cut: 'kill -TERM "$r" && kill -CONT "$r"', resume: 'kill -CONT "$r"' } as const;
  const missing = action === 'stall' ? `echo 'no WAL receiver is running' >&2; exit 1` : `exit ${answers.yes}`;
  return `${prologue(node)}
pid=$(postmaster) || { ${missing}; }
found=
for r in $(ps -A -o pid= -o ppid= -o args= | awk -v p="$pid" '$2 == p && /walreceiver/ { print $1 }'); do found=1; ${signals[action]} || exit 1; done
[ -n "$found" ] || { ${missing}; }`;
}
