/**
 * What the disk faults share: one file named after the fault in a folder of the target, and the way back, which removes exactly that file.
 * The file is made where there was none (`set -C`) and from then on only reached through the open descriptor 3, never again by name, so
 * whoever may write to the folder cannot turn the fault to a file of somebody else.
 */
import { shellQuote } from '../../core/text.ts';
import { arithmetic } from '../amount.ts';

/**
 * Sets `dir` and `file`. `place`: which file system the folder is on, as a number; `space FOLDER`: total, used and available kB as df says,
 * total being what ordinary users can have; `device PATH`: number of the file system of PATH or of what of it exists.
 */
export function fileText(path: string, id: string): string {
  const dir = path.replace(/\/+$/, '');
  return `${arithmetic}name=chaos-${id}
dir=${shellQuote(dir === '' ? '/' : dir)} file=${shellQuote(`${dir}/`)}$name
existing() { at=$1; until [ -e "$at" ]; do at=\${at%/*}; at=\${at:-/}; done; }
place() { existing "$dir"; df -Pk "$at" 2>/dev/null | sed -n '2s/^.*% *//p' | cksum | cut -d ' ' -f 1; }
space() {
  df -Pk "$1" 2>/dev/null | sed -n '2s/^.* [0-9][0-9]*  *\\([0-9][0-9]*\\)  *\\(-*[0-9][0-9]*\\)  *[0-9][0-9]*% .*/\\1 \\2/p' |
    awk '{ printf "%.0f %.0f %.0f\\n", $1 + ($2 > 0 ? $2 : 0), $1, ($2 > 0 ? $2 : 0) }'
}
device() { existing "$1"; stat -c %d "$at" 2>/dev/null; }
`;
}

/** Sets `total`, `used`, `avail` (kB) and `kind` of the file system, or refuses. Saves `place`. */
export const lookFolder = `need awk mawk; need df coreutils; need stat coreutils; need dd coreutils
[ -d "$dir" ] || refuse "$dir is not a folder here"
[ -w "$dir" ] && [ -x "$dir" ] || refuse "$dir cannot be written by this login (or its file system is read-only): log in as its owner, or set become: sudo in the environment"
if [ -e "$file" ] || [ -L "$file" ]; then refuse "$file is there already"; fi
[ -d /proc/self/fd ] || refuse '/proc is not there'
set -- $(space "$dir")
[ $# -eq 3 ] || refuse "df cannot tell the space of $dir"
total=$1 used=$2 avail=$3
kind=$(stat -f -c %T "$dir" 2>/dev/null)
save place "$(place)"
`;

/** Makes the file and runs `text` with it open as descriptor 3: of a group, since ksh keeps what `exec` opens from its commands. */
export function withFile(text: string): string {
  return `umask 077
set -C
{ set +C
${text}
} 3>"$file" || exit 1`;
}

/** A mount that is gone would hide the file, and then it would seem removed. */
export const removeFile = `end_mine
if [ "$(place)" != @place@ ]; then echo "the file system that $dir was on is not mounted: $file cannot be removed"; exit 1; fi
rm -f "$file"`;

/** A file that is removed and still open somewhere keeps its space. Closing a large one takes the kernel a while. */
export const checkFile = `if [ "$(place)" != @place@ ]; then echo "the file system that $dir was on is not mounted: nobody knows whether $file is left"; exit 3; fi
if [ -e "$file" ] || [ -L "$file" ]; then echo "$file is left"; exit 3; fi
tries=0
while :; do
  left=$(mine | wc -l) open=$(ls -l /proc/[0-9]*/fd 2>/dev/null | grep -cF "/$name (deleted)")
  [ "$left" -eq 0 ] && [ "$open" -eq 0 ] && break
  tries=$((tries + 1))
  if [ $tries -gt 5 ]; then echo "$file is removed, but $((left)) processes of the fault are left and it is open $open times: its space is not free yet"; exit 3; fi
  sleep 1
done
set -- $(space "$dir")
echo "$file is gone; \${3:-unknown} kB free, @avail@ kB before"`;
