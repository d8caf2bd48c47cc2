/**
 * The shell texts of `disk-io`: loops of dd past the page cache. What counts as effect is the progress of the workers, each pass of which
 * returns only when the disk has it.
 */

import { checkFile, fileText, lookFolder, removeFile, withFile } from '../disk/file.ts';
import { sizeBytes } from '../fields.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import type { DiskIoParameters } from './schema.ts';

/** What a pass of dd moves, at most, bytes: short enough that progress is seen on a slow disk. */
const passBytes = 8 * 1_024 ** 2;

/** Works on BLOCKS blocks from FIRST on. Moved kB are counted in NOTES/io-FIRST, which is on tmpfs. */
const worker = `notes=$1 load=$2 bytes=$3 first=$4 blocks=$5 pass=$6 way=$7 sync=$8
read_kb=0 written_kb=0
note() { echo "$read_kb $written_kb" >"$notes/io-$first"; }
through() {
  at=0
  while [ $at -lt "$blocks" ]; do
    n=$((blocks - at)); [ $n -le "$pass" ] || n=$pass
    if [ "$1" = write ]; then
      dd if=/dev/zero of=/proc/self/fd/3 bs="$bytes" count=$n seek=$((first + at)) $way conv=notrunc$sync 2>/dev/null || exit 1
      written_kb=$(((written_kb + n * (bytes / 1024)) % 1000000000))
    else
      dd if=/proc/self/fd/3 of=/dev/null bs="$bytes" count=$n skip=$((first + at)) iflag=direct 2>/dev/null || exit 1
      read_kb=$(((read_kb + n * (bytes / 1024)) % 1000000000))
    fi
    note
    at=$((at + n))
  done
}
# Blocks that were never written are not read from the disk.
through write
while :; do
  [ "$load" = read ] || through write
  [ "$load" = write ] || through read
done`;

export function scripts({ parameters, id }: HostScriptRequest<DiskIoParameters>): HostScripts {
  const file = fileText(parameters.path, id);
  return {
    look: file + lookFolder + look(parameters),
    inject: file + withFile(inject(parameters)),
    verify: file + verify(parameters),
    undo: file + removeFile,
    check: file + checkFile,
    undoInWords: `end the workers and remove ${parameters.path.replace(/\/+$/, '')}/chaos-${id}`,
  };
}

export function notes({ load }: DiskIoParameters): readonly string[] {
  return load === 'read' ? [] : ['It writes as fast as the disk can for as long as it is held, which wears flash.'];
}

function look({ workers, size }: DiskIoParameters): string {
  const takeKb = Math.ceil((workers * sizeBytes(size)) / 1_024);
  return `take=${takeKb}
case $kind in
  tmpfs|ramfs) refuse "$dir is $kind, which is memory: there is no disk to load; choose a path on a disk" ;;
esac
is "$avail - $take >= $total / 20 && $avail - $take >= 65536" ||
  refuse "its workers need $(mb "$take") MB and $(mb "$avail") MB are free in $dir, of which 5 % of all (at least 64 MB) have to stay: ask for fewer workers or a smaller size"
save avail "$avail"`;
}

function inject({ load, workers, size, blockSize }: DiskIoParameters): string {
  const bytes = sizeBytes(blockSize);
  const blocks = Math.floor(sizeBytes(size) / bytes);
  const pass = Math.max(1, Math.floor(passBytes / bytes));
  return `cat >"$CHAOS_RUN_DIR/io" <<'END' || exit 1
${worker}
END
# Past the cache where the file system can; else each write waits for the disk, one by one or at the end of a pass.
try() { dd if=/dev/zero of=/proc/self/fd/3 bs=${bytes} count=1 $1 conv=notrunc$2 2>/dev/null; }
way= sync=,fsync
if try oflag=direct ''; then way=oflag=direct sync=; elif try oflag=dsync ''; then way=oflag=dsync sync=; fi
try "$way" "$sync" || { echo 'the file cannot be written'; exit 1; }
${load === 'write' ? '' : `dd if=/proc/self/fd/3 of=/dev/null bs=${bytes} count=1 iflag=direct 2>/dev/null || { echo 'nothing can be read past the cache here (no direct I/O on this file system, or dd is too old): use load: write'; exit 1; }`}
n=0
while [ $n -lt ${workers} ]; do
  sh "$CHAOS_RUN_DIR/io" "$CHAOS_RUN_DIR" ${load} ${bytes} $((n * ${blocks})) ${blocks} ${pass} "$way" "$sync" </dev/null >/dev/null 2>&1 &
  n=$((n + 1))
done
sleep 0.2 2>/dev/null || sleep 1
kill -0 $! 2>/dev/null`;
}

/** The numbers of the notes wrap; over two seconds that is seen as too little at most, and then it looks again. */
function verify({ load, workers }: DiskIoParameters): string {
  const asked = { read: '$reads > 0', write: '$writes > 0', both: '$reads > 0 && $writes > 0' }[load];
  return `notes=$(for p in $(mine); do tr '\\0' '\\n' 2>/dev/null <"/proc/$p/environ" | sed -n 's/^CHAOS_RUN_DIR=//p'; done | head -n 1)
[ -n "$notes" ] || { echo 'no worker is alive'; exit 3; }
moved() { cat "$notes"/io-* 2>/dev/null | awk '{ r += $1; w += $2 } END { printf "%.0f %.0f", r, w }'; }
# Time in which the disk had something to do, ms. Some file systems (btrfs, overlay) do not say which disk it is.
number=$(device "$dir")
disk=$(awk "BEGIN { n = \${number:-0}; printf \\"%d %d\\", int(n / 256) % 4096, n % 256 + int(n / 1048576) % 4096 * 256 }")
busy() { awk -v disk="$disk" '$1 " " $2 == disk { print $13 }' /proc/diskstats 2>/dev/null; }
clock() { read -r up _ </proc/uptime; up=\${up%.*}\${up#*.}; }
tries=0 reads=0 writes=0
while [ $tries -lt 10 ]; do
  set -- $(moved); r=$1 w=$2; clock; up0=$up; b=$(busy)
  sleep 2
  set -- $(moved); clock; b2=$(busy)
  reads=$(calc "($1 - $r) / ($up - $up0) * 100") writes=$(calc "($2 - $w) / ($up - $up0) * 100")
  if is "${asked}"; then break; fi
  tries=$((tries + 1))
done
alive=$(for p in $(mine); do tr '\\0' ' ' 2>/dev/null <"/proc/$p/cmdline" | grep -F "$notes/io $notes"; done | wc -l)
echo "$((alive)) of ${workers} workers read $reads kB/s and wrote $writes kB/s"
[ -z "$b" ] || echo "disk $(echo "$disk" | tr ' ' :) was busy $(calc "($b2 - $b) * 10 / ($up - $up0)") % of the time"
measure megabytesMoved "$(awk "BEGIN { printf \\"%.1f\\", ($reads + $writes) / 1024 }")"
[ "$alive" -ge ${workers} ] || exit 3
is "${asked}" || exit 3`;
}
