/**
 * The shell texts of a plan that arm, hold, pull and remove a fuse. Every text finds the fuse's folder by itself, so each can also be
 * pasted on the target by hand.
 */
export interface FuseLimits {
  /** Without a sign of life for this long it reverts, s. */
  readonly leaseS: number;
  /** Reverts then in any case, s from arming. */
  readonly deadlineS: number;
  /** The fault's state outlives a restart of the target: revert at boot. */
  readonly boot: boolean;
}

/** The name of everything that a step leaves on its `nth` target, from 1. `@run@` is filled in when it is sent. */
export function fuseId(step: string, nth: number): string {
  return `@run@-${step}.${nth}`;
}

/** The last stands for `/dev/shm/chaos-$(id -u)`, without a process for that. */
const folders = '/var/lib/chaos /run/chaos "$HOME/.chaos" /dev/shm/chaos-*';

/** Runs a verb of the fuse; exit 3 and `absent` when there is none. Only what is our own is run: some of the folders are open to all. */
function withFuse(id: string, verb: string, input = ''): string {
  return `for d in ${folders}; do
  f=$d/${id}/fuse
  [ -O "$d" ] && [ -f "$f" ] && [ -O "$f" ] && exec sh "$f" ${verb}${input}
done
echo absent; exit 3`;
}

/** Standard input: `fuseInput` with texts. Exit 3: refused, with the reason. */
export function armText(id: string, { leaseS, deadlineS, boot }: FuseLimits): string {
  return `umask 077
if [ "$(id -u)" = 0 ] && [ -z "\${CHAOS_LAB_HOST:-}" ]; then set -- /var/lib/chaos /run/chaos; else set -- "$HOME/.chaos" "/dev/shm/chaos-$(id -u)"; fi
for d; do
  f=$d/.${id}
  if mkdir -p "$d" && [ -O "$d" ] && dd if=/dev/zero of="$f" bs=1024 count=64; then
    cat >"$f" && exec sh "$f" arm ${id} ${leaseS} ${deadlineS}${boot ? ' boot' : ''}
  fi 2>/dev/null
  rm -f "$f" 2>/dev/null
done
echo 'refused: no place to write for the fuse (disk full or read-only)'; exit 3`;
}

/** Standard input: `fuseInput` without texts. One line a fuse, then `end`. */
export function listText(): string {
  return 'exec sh -s list';
}

export function holdText(id: string): string {
  return withFuse(id, 'hold');
}

/** Runs `script` under the fuse. Exit 3: refused; 5: the script failed and was reverted. */
export function injectText(id: string, script: string): string {
  const lines = script.split('\n');
  let end = 'END';
  while (lines.includes(end)) end += 'X';
  return withFuse(id, 'inject', ` <<'${end}'\n${script}\n${end}`);
}

/** Reverts now. Exit 4: not clean. */
export function pullText(id: string): string {
  return withFuse(id, 'revert');
}

/** Removes a fuse that has reverted; without one there is nothing to do. */
export function forgetText(id: string): string {
  return withFuse(id, 'forget').replace('echo absent; exit 3', 'echo absent; exit 0');
}
