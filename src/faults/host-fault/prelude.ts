/**
 * What the texts of every host fault begin with:
 * `save NAME VALUE`, `measure NAME VALUE`, `refuse TEXT` as the contract says; `have COMMAND`; `need COMMAND PACKAGE`;
 * `mine`: the processes that the injection left, one a line; `end_mine`: ends them, and waits until they are gone.
 */
export function preludeOf(id: string): string {
  return `set -u
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
save() { printf 'save %s %s\\n' "$1" "$2"; }
measure() { printf 'measure %s %s\\n' "$1" "$2"; }
refuse() { printf 'refuse %s\\n' "$*"; exit 3; }
have() { command -v "$1" >/dev/null 2>&1; }
need() { have "$1" || refuse "$1 is missing (package $2)"; }
# The brackets: sudo puts this very text into the environment of the shell that runs it.
mine() { grep -ls 'CHAOS_FAULT[=]${id}' /proc/[0-9]*/environ 2>/dev/null | sed 's|^/proc/||; s|/environ$||'; }
end_mine() {
  tries=0
  while [ -n "$(mine)" ] && [ $tries -lt 50 ]; do
    for p in $(mine); do kill -KILL "$p" 2>/dev/null; done
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
}
`;
}
