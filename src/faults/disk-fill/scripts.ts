/** The shell texts of `disk-fill`. */
import { amountInWords, takeText } from '../amount.ts';
import { checkFile, fileText, lookFolder, removeFile, withFile } from '../disk/file.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import type { DiskFillParameters } from './schema.ts';

export function scripts({ parameters, id }: HostScriptRequest<DiskFillParameters>): HostScripts {
  const file = fileText(parameters.path, id);
  return {
    look: file + lookFolder + look(parameters),
    inject: file + withFile(inject(parameters.how)),
    verify: file + verify,
    undo: file + removeFile,
    check: file + checkFile,
    undoInWords: `remove ${parameters.path.replace(/\/+$/, '')}/chaos-${id}`,
  };
}

export function notes({ path, size }: DiskFillParameters): readonly string[] {
  const full = size === undefined ? [] : ['Others may fill the rest: a size says what is taken, not what is left.'];
  return [...full, `Where ${path} is on tmpfs, what is filled is memory.`];
}

/** Where the fuse keeps what it needs when a disk is full, as in fuse.sh; and who the runner is. */
const protect = `uid=$(id -u)
if [ "$uid" = 0 ] && [ -z "\${CHAOS_LAB_HOST:-}" ]; then fuse=/var/lib/chaos fast=/run/chaos; else fuse=$HOME/.chaos fast=/dev/shm/chaos-$uid; fi
grep -q '^[^ ]* /run tmpfs ' /proc/mounts || fast=/dev/shm/chaos-$uid
[ -w "\${fast%/*}" ] || fast=$fuse
[ "$(device "$fast")" != "$(device "$dir")" ] || refuse "$dir is on the file system where the fuse keeps what it needs to revert ($fast): choose a path on another one"
# sudo hides what the SSH server told the login, so the processes above are asked.
connection=\${SSH_CONNECTION:-} p=$$
while [ -z "$connection" ] && [ "\${p:-1}" -gt 1 ]; do
  connection=$(tr '\\0' '\\n' 2>/dev/null <"/proc/$p/environ" | sed -n 's/^SSH_CONNECTION=//p')
  p=$(sed 's/.*) . //; s/ .*//' "/proc/$p/stat" 2>/dev/null)
done
set -- $connection
case \${1:-} in
  127.*|::1) here=yes ;;
  ?*) here=no; [ "$1" != "\${3:-}" ] || here=yes ;;
  *) here=no ;;
esac
[ -z "\${CHAOS_LAB_HOST:-}" ] || here=yes
`;

function look(parameters: DiskFillParameters): string {
  return `${protect}${takeText(parameters)}
is "$take >= 1024" || refuse "no effect: asked is ${amountInWords(parameters)}, and $(mb "$avail") MB of $(mb "$total") MB are free in $dir"
is "$take <= $avail" || refuse "$(mb "$take") MB are asked and $(mb "$avail") MB are free in $dir: ask for less"
if [ $here = yes ]; then
  is "$avail - $take >= 1048576" || refuse "the runner is on this very machine and its journal needs room: leave at least 1 GB free in $dir"
fi
case $kind in
  tmpfs|ramfs)
    memory=$(sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo) all=$(sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo)
    is "$take <= \${memory:-0} - $all / 20" || refuse "$dir is $kind, which is memory: $(mb "$take") MB more would leave less than 5 % of it; choose a path on a disk, or ask for less" ;;
esac
save take "$take"; save bytes "$(calc "$take * 1024")"; save avail "$avail"; save used "$used"; save kind "\${kind:-unknown}"`;
}

/** What fallocate got before it failed (no room for the last blocks, or it cannot here) is kept, the rest is written behind it. */
function inject(how: DiskFillParameters['how']): string {
  const allocate = how === 'write' ? 'false' : 'have fallocate && fallocate -l @bytes@ /proc/self/fd/3 2>/dev/null';
  return `${allocate} && exit 0
has=$(du -k "$file" | cut -f 1)
# The end of the space is no failure here: what counts is what df says in the end.
said=$(dd if=/dev/zero of=/proc/self/fd/3 conv=notrunc bs=65536 seek=$((has / 64)) count=$(((@take@ + 63) / 64 - has / 64)) 2>&1) ||
  case $said in *'No space'*|*uota*) ;; *) printf '%s\\n' "$said"; exit 1 ;; esac`;
}

const verify = `[ -f "$file" ] || { echo "$file is not there"; exit 3; }
tries=0
while :; do
  set -- $(space "$dir")
  has=$(du -k "$file" | cut -f 1)
  full=no
  # Its own size, as the file system counts it (zeros may have been compressed away), and the space that is really missing.
  if is "$has >= @take@ * 0.95 || $3 <= $1 / 100" && is "$3 <= @avail@ - @take@ * 0.9 + 1024"; then full=yes; fi
  tries=$((tries + 1))
  [ $full = yes ] || [ $tries -ge 5 ] && break
  sleep 1
done
share=$(awk "BEGIN { printf \\"%.3f\\", $2 / $1 }")
echo "$file holds $(mb "$has") MB; $dir ($(stat -f -c %T "$dir")) is $(calc "$share * 100") % full, $(mb "$3") MB free, before $(mb @avail@) MB"
measure diskUsed "$share"
[ $full = yes ] || exit 3`;
