/**
 * The shell texts of `process-kill`: POSIX sh with ps, sed, cut, grep. A process is written `PID/START`; START is the kernel's start tick
 * from `/proc/PID/stat` (field 22, proc(5)) where there is one, else what `ps -o lstart=` says, with its blanks made `_`.
 */
import { shellQuote } from '../../core/text.ts';
import { aliveFunction, napFunction } from '../shell.ts';
import type { ProcessKillParameters } from './schema.ts';

/** Exit codes of the texts below that are answers and not failures. */
export const answers = { found: 0, notFound: 3, recycled: 4 } as const;

/** `is PID START`, `alive PID`, `state_of PID`, `start_of PID`, `nap`. */
export const identityFunctions = `${aliveFunction}
${napFunction}
start_of() {
  if [ -r /proc/self/stat ]; then tr '\\n' ' ' 2>/dev/null <"/proc/$1/stat" | sed 's/.*) //' | cut -d' ' -f20
  else LC_ALL=C TZ=UTC ps -o lstart= -p "$1" 2>/dev/null | sed 's/^ *//; s/ *$//' | tr -s ' ' _; fi
}
is() { alive "$1" && [ "$(start_of "$1")" = "$2" ]; }`;

/** Defines `found`: prints `PID/START` of each process that is meant and alive. */
export function finderText({ pidFile, match }: Pick<ProcessKillParameters, 'pidFile' | 'match'>): string {
  if (pidFile !== undefined) {
    return `found() {
  pid=
  read -r pid _rest 2>/dev/null <${shellQuote(pidFile)} || [ -n "$pid" ] || return 0
  case $pid in *[!0-9]*|''|0|1) return 0 ;; esac
  alive "$pid" && echo "$pid/$(start_of "$pid")"
}`;
  }
  // Our own shell, its helpers (same process group) and the shells it runs under all carry the pattern in their command lines.
  return `found() {
  list=$(ps -A -o pid= -o ppid= -o pgid= -o args= 2>/dev/null || ps -o pid= -o ppid= -o pgid= -o args=)
  lines=$(printf '%s\\n' "$list" | sed 's/^ *[0-9]* *[0-9]* *[0-9]* //' | grep -En -e ${shellQuote(match ?? '')} | cut -d: -f1 | tr '\\n' ' ')
  printf '%s\\n' "$list" | awk -v self="$$" -v lines="$lines" '
    { parent[$1] = $2; group[$1] = $3; pid[NR] = $1 }
    END {
      for (p = self; p > 1 && !(p in mine); p = parent[p]) mine[p] = 1
      n = split(lines, hit, " ")
      for (i = 1; i <= n; i++) { p = pid[hit[i]]; if (p > 1 && !(p in mine) && group[p] != group[self]) print p }
    }' | while read -r pid; do alive "$pid" && echo "$pid/$(start_of "$pid")"; done
}`;
}

/** Prints the processes that are meant, one `PID/START` a line, and on standard error their command lines. */
export function findText(parameters: ProcessKillParameters): string {
  return `${identityFunctions}
${finderText(parameters)}
found | while IFS=/ read -r pid start; do
  echo "$pid/$start"
  ps -o args= -p "$pid" >&2 2>/dev/null || tr '\\0' ' ' <"/proc/$pid/cmdline" >&2 || :
done`;
}

/** Kills `@processes@` (`PID/START` joined by `+`); all are checked before the first is killed. */
export function killText({ signal }: ProcessKillParameters): string {
  return `${identityFunctions}
processes=$(echo '@processes@' | tr + ' ')
for p in $processes; do is "\${p%%/*}" "\${p#*/}" || { echo "process \${p%%/*} is not the one that was found any more" >&2; exit ${answers.recycled}; }; done
for p in $processes; do kill -s ${signal} "\${p%%/*}" || exit 1; done`;
}

/** Waits up to 10 s until none of `@processes@` is left. */
export function goneText(): string {
  return `${identityFunctions}
end=$(($(date +%s) + 10))
while :; do
  left=
  for p in $(echo '@processes@' | tr + ' '); do is "\${p%%/*}" "\${p#*/}" && left="$left \${p%%/*}"; done
  [ -z "$left" ] && exit ${answers.found}
  [ "$(date +%s)" -ge "$end" ] && { echo "still alive:$left"; exit ${answers.notFound}; }
  nap
done`;
}

/** Looks every 100 ms until `count` processes other than `@processes@` are there; prints them. `seconds` 0 looks once. */
export function backText(parameters: ProcessKillParameters, seconds: number): string {
  return `${identityFunctions}
${finderText(parameters)}
old=' '; for p in $(echo '@processes@' | tr + ' '); do old="$old\${p%%/*} "; done
end=$(($(date +%s) + ${seconds}))
while :; do
  now=$(for p in $(found); do case $old in *" \${p%%/*} "*) ;; *) echo "$p" ;; esac; done)
  if [ "$(printf '%s' "$now" | grep -c .)" -ge ${parameters.count} ]; then echo "$now"; exit ${answers.found}; fi
  [ "$(date +%s)" -ge "$end" ] && exit ${answers.notFound}
  nap
done`;
}
