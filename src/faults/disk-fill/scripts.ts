/** The shell texts of `disk-fill`. One file with the name of the fuse; nothing else is ever removed. */
import { shellQuote } from '../../core/text.ts';
import { sizeBytes } from '../fields.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import type { DiskFillParameters } from './schema.ts';

export function scripts({ parameters, id }: HostScriptRequest<DiskFillParameters>): HostScripts {
  const { path, percent, size, leaveFree } = parameters;
  // What stands before @run@ is a person's text, so it is quoted alone.
  const file = `${shellQuote(path.endsWith('/') ? path : `${path}/`)}chaos-${id}`;
  const asked =
    percent !== undefined
      ? `$((available - (used + available) * (100 - ${percent}) / 100))`
      : size !== undefined
        ? String(Math.ceil(sizeBytes(size) / 1_024))
        : `$((available - ${Math.ceil(sizeBytes(leaveFree ?? '0B') / 1_024)}))`;
  const disk = `disk() { set -- $(df -Pk ${shellQuote(path)} | tail -n 1); mounted=$6 used=$3 available=$4; }`;
  return {
    look: `${disk}
[ -d ${shellQuote(path)} ] || refuse ${shellQuote(`${path} is not a folder`)}
[ -w ${shellQuote(path)} ] || refuse ${shellQuote(`${path} cannot be written: log in as its owner or as root, or it is read-only`)}
# The fuse must be able to write its lease when the disk is full.
fast=/dev/shm
if [ "$(id -u)" = 0 ] && grep -q '^[^ ]* /run tmpfs ' /proc/mounts; then fast=/run; fi
[ -d $fast ] && [ "$(df -P $fast | tail -n 1 | awk '{ print $6 }')" != "$(df -P ${shellQuote(path)} | tail -n 1 | awk '{ print $6 }')" ] ||
  refuse "$fast is on the same file system: the fuse could not work once it is full"
disk
fill=${asked}
[ "$fill" -gt 0 ] || refuse "$used kB are used and $available kB available: there is nothing to add"
[ "$fill" -le "$available" ] || refuse "only $available kB are available, asked are $fill kB"
save fill "$fill"; save before "$available"; save all $((used + available))`,
    inject: `[ ! -e ${file} ] || { echo 'there is such a file already'; exit 1; }
fallocate -l $((@fill@ * 1024)) ${file} 2>/dev/null || dd if=/dev/zero of=${file} bs=1024 count=@fill@ 2>/dev/null
[ -e ${file} ]`,
    verify: `${disk}
disk
echo "$available kB are available on $mounted, @before@ kB before; asked @fill@ kB less"
share=$(((@all@ - available) * 100 / @all@))
measure diskUsed "$((share / 100)).$((share % 100 / 10))$((share % 10))"
[ -e ${file} ] && [ $((@before@ - available)) -ge $((@fill@ * 9 / 10)) ] || exit 3`,
    undo: `rm -f ${file}`,
    check: `if [ -e ${file} ]; then echo 'the file is still there'; exit 3; fi
${disk}
disk
echo "no file chaos-${id}; $available kB are available on $mounted, @before@ kB before"`,
    undoInWords: `rm ${path.endsWith('/') ? path : `${path}/`}chaos-${id}`,
  };
}
