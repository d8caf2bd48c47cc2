/**
 * The shell texts of `chaosblade`. The uid is chosen before anything is created (`blade create --uid`, cli/cmd/create.go of ChaosBlade),
 * so an experiment that was cut short can be destroyed too.
 */
import { shellQuote } from '../../core/text.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import type { ChaosbladeParameters } from './schema.ts';

export function scripts({ parameters, id }: HostScriptRequest<ChaosbladeParameters>): HostScripts {
  const uid = id.replaceAll(/[^A-Za-z0-9@]/g, 'x');
  const words = parameters.create.map(shellQuote).join(' ');
  const seen = seenFunction(parameters.verify);
  const functions = `${stateFunction(uid)}\n`;
  return {
    look: look(parameters, seen),
    inject: inject(words, uid, functions),
    verify: verify(functions, seen),
    undo: undo(uid, functions),
    check: check(functions, seen),
    undoInWords: `blade destroy ${uid}, and end the processes it left`,
  };
}

export function notes({ create, verify }: ChaosbladeParameters): readonly string[] {
  const timeout = create.some((word) => /^--timeout(?:=|$)/.test(word));
  return [
    ...(verify === undefined ? ['Without `verify`, what blade status says of the experiment is all that is known of its effect.'] : []),
    ...(timeout ? ['With --timeout blade ends the experiment by itself, perhaps before the step is over.'] : []),
  ];
}

/** `state`: Created, Success, Error, Destroyed; `none` when blade has no such experiment, `unknown` when it does not say. */
function stateFunction(uid: string): string {
  return `state() {
  said=$('@blade@' status ${uid} 2>&1 </dev/null)
  flat=$(printf '%s' "$said" | tr -d ' \\t\\r\\n')
  state=$(printf '%s\\n' "$flat" | sed -n 's/.*"Status":"\\([A-Za-z]*\\)".*/\\1/p')
  if [ -z "$state" ]; then
    case $flat in *'"success":false'*otfound*) state=none ;; *) state=unknown ;; esac
  fi
}`;
}

/** `seen`: does the author's own command see the effect? */
function seenFunction(command: string | undefined): string {
  return command === undefined ? '' : `seen() { timeout 10 sh -c ${shellQuote(command)} </dev/null >/dev/null 2>&1; }\n`;
}

function look({ blade }: ChaosbladeParameters, seen: string): string {
  const find =
    blade === undefined
      ? `blade=$(command -v blade)
[ -n "$blade" ] || blade=/opt/chaosblade/blade`
      : `blade=${shellQuote(blade)}`;
  return `${find}
[ -x "$blade" ] || refuse "there is no blade command ($blade): install ChaosBlade, or name its path with blade"
case $blade in *[!A-Za-z0-9._/+-]*) refuse "the path of blade has other characters than letters, digits and . _ / + -: $blade" ;; esac
version=$("$blade" version 2>&1 </dev/null) || refuse "$blade does not run: $(printf '%s' "$version" | tail -n 1)"
need setsid util-linux
need timeout coreutils
${seen}${seen === '' ? '' : `if seen; then refuse 'no effect: verify sees the effect before anything was injected'; fi\n`}save blade "$blade"`;
}

/** In a session of its own: the fuse ends our group before it undoes, and blade has to destroy what it started itself. */
function inject(words: string, uid: string, functions: string): string {
  return `${functions}answer=$(setsid '@blade@' create ${words} --uid ${uid} 2>&1 </dev/null)
code=$?
flat=$(printf '%s' "$answer" | tr -d ' \\t\\r\\n')
case $flat in
  *'"success":true'*'"result":"${uid}"'*) ;;
  *'"success":true'*)
    # A blade that does not know --uid for this experiment.
    other=$(printf '%s\\n' "$flat" | sed -n 's/.*"result":"\\([A-Za-z0-9]*\\)".*/\\1/p')
    [ -z "$other" ] || '@blade@' destroy "$other" </dev/null
    echo "blade gave the experiment another uid ($other): it was destroyed"
    exit 1 ;;
  *) printf 'blade create: exit %s: %s\\n' "$code" "$answer"; exit 1 ;;
esac`;
}

function verify(functions: string, seen: string): string {
  const see = seen === '' ? '' : `if seen; then echo 'verify sees the effect'; else echo 'verify does not see the effect'; exit 3; fi`;
  return `${functions}${seen}state
echo "blade status: $state"
case $state in
  Success|Running) ;;
  unknown) printf '%s\\n' "$said" | tail -n 1; exit 3 ;;
  *) exit 3 ;;
esac
${see}`;
}

/**
 * A create that still runs would go on behind the destroy. Then destroy, then whatever of its processes outlived that. Where they ended before
 * (out of memory, a restart of the host, a create that was cut short) blade refuses to destroy, for good, and only its record is left to remove.
 *
 * The text does not name blade's program for hosts: destroy kills every process whose command line holds that name and the uid, also a sudo
 * that was given this text.
 */
function undo(uid: string, functions: string): string {
  return `${functions}for p in $(mine); do
  first=$(tr '\\0' '\\n' <"/proc/$p/cmdline" 2>/dev/null | head -n 1)
  [ "$first" != '@blade@' ] || kill -KILL "$p" 2>/dev/null
done
state
case $state in
  Destroyed|none) end_mine ;;
  *)
    answer=$('@blade@' destroy ${uid} 2>&1 </dev/null)
    printf '%s\\n' "$answer"
    end_mine
    case $answer in *'cannot get the '*' program'*) '@blade@' destroy ${uid} --force-remove </dev/null ;; esac
    state ;;
esac
case $state in Destroyed|none) ;; *) exit 1 ;; esac`;
}

function check(functions: string, seen: string): string {
  return `${functions}${seen}state
echo "blade status: $state"
case $state in
  Destroyed|none) ;;
  unknown) printf '%s\\n' "$said" | tail -n 1; exit 3 ;;
  *) exit 3 ;;
esac
left=$(mine | wc -l)
if [ "$left" -gt 0 ]; then echo "$((left)) processes of the experiment are left"; exit 3; fi
${seen === '' ? ':' : `if seen; then echo 'verify still sees the effect'; exit 3; fi\necho 'verify does not see the effect any more'`}`;
}
