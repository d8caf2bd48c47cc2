/**
 * Stands for ChaosBlade 1.x, which no package registry has: `blade` as a shell script, after cli/cmd/{create,destroy,status}.go of
 * chaosblade-io/chaosblade and exec/exec.go of chaosblade-io/chaosblade-exec-os. Answers are JSON on one line, a failure is exit code 1.
 * What it keeps is in the folder `blade.d` beside it: a record an experiment, the words of the last create, what was destroyed.
 *
 * As the real one it starts a program `chaos_os` that carries the uid, destroys by killing every process whose command line holds both, and
 * refuses to destroy where there is none, then and ever after; `--force-remove` takes the record away all the same.
 *
 * Actions: `slow` needs three seconds, `broken` fails half-way, `gone` is called a success though its program ended at once, `stuck` leaves a
 * process that destroy does not know, `old` (a target) gets a uid that was not asked for. Files `readonly` and `locked` spoil the records.
 */
export const blade = `#!/bin/sh
at=$0.d
mkdir -p "$at/records"
[ -e "$at/chaos_os" ] || { printf '#!/bin/sh\\nwhile :; do sleep 1; done\\n' >"$at/chaos_os"; chmod +x "$at/chaos_os"; }
ok() { printf '{"code":200,"success":true,"result":%s}\\n' "$1"; }
fail() { printf '{"code":%s,"success":false,"error":"%s"}\\n' "$1" "$2" >&2; exit 1; }
record() { printf '%s' "$2" >"$at/records/$1"; sync "$at/records/$1"; }
unknown() { fail 67002 "\\\`$1\\\` record not found, if it's k8s experiment, please add --target k8s flag to retry"; }
program() { nohup "$at/chaos_os" create "$target" "$action" "--uid=$uid" >/dev/null 2>&1 & }
verb=$1; shift
case $verb in
  version) printf 'version: 1.7.4\\nenv: linux\\nbuild-time: -\\n' ;;
  create)
    target=$1 action=$2; shift 2
    : >"$at/words"
    uid=5f2e8a9c0d1b7e34
    while [ $# -gt 0 ]; do
      case $1 in
        --uid) uid=$2; shift ;;
        --unheard-of) fail 45000 'unknown flag: --unheard-of' ;;
        *) printf '%s\\n' "$1" >>"$at/words" ;;
      esac
      shift
    done
    record "$uid" Created
    case $action in
      slow) sleep 3; program ;;
      broken) program; record "$uid" Error; fail 63063 'no space left on device' ;;
      gone)
        record "$uid" Error
        printf '{"code":200,"success":true,"error":"chaos_os process not found, please check chaosblade log","result":"%s"}\\n' "$uid"
        exit ;;
      stuck) nohup sleep 600 >/dev/null 2>&1 & program ;;
      *) program ;;
    esac
    record "$uid" Success
    [ "$target" != old ] || uid=5f2e8a9c0d1b7e34
    ok "\\"$uid\\""
    ;;
  destroy)
    [ -e "$at/records/$1" ] || unknown "$1"
    [ ! -e "$at/readonly" ] || fail 67001 '\\\`update\\\`: failed to execute, err: attempt to write a readonly database'
    why='destory experiment failed, cannot get the chaos_os program'
    if [ "$(cat "$at/records/$1")" != Destroyed ]; then
      if ! pkill -KILL -f "chaos_os.*$1|$1.*chaos_os"; then
        [ "\${2:-}" = --force-remove ] || fail 63063 "$why"
        rm "$at/records/$1"; sync "$at/records"
        fail 63063 "forcibly remove $1 resource success, but destroy the experiment failed, $why"
      fi
      record "$1" Destroyed
      echo "$1" >>"$at/destroyed"
    fi
    ok '{"target":"cpu","action":"fullload"}'
    ;;
  status)
    [ ! -e "$at/locked" ] || fail 67001 '\\\`query\\\`: failed to execute, err: database is locked'
    [ -e "$at/records/$1" ] || unknown "$1"
    ok "{\\"Uid\\":\\"$1\\",\\"Command\\":\\"cpu\\",\\"SubCommand\\":\\"fullload\\",\\"Flag\\":\\"\\",\\"Status\\":\\"$(cat "$at/records/$1")\\",\\"Error\\":\\"\\"}"
    ;;
esac
`;

/** Shell text that is true while the program of an experiment runs; its own command line holds no `chaos_os`. */
export const bladeAtWork = 'pgrep -f "chaos_o[s] create" >/dev/null';

/** Shell text that installs it where ChaosBlade's own archive is unpacked to. */
export const installBlade = `mkdir -p /opt/chaosblade && cat >/opt/chaosblade/blade <<'BLADE' && chmod +x /opt/chaosblade/blade && sync
${blade}BLADE`;
