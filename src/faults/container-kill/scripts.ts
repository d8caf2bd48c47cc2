/**
 * The shell texts of `container-kill`. The main process is killed from the host and not by `docker kill`, which tells the restart policy
 * that it was meant.
 */
import { askAgain, lookContainer } from '../container.ts';
import { durationMs } from '../fields.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { identityFunctions } from '../process-kill/shell.ts';
import type { ContainerKillParameters } from './schema.ts';

const hundredths = `hundredths() { read -r up _ </proc/uptime; up=\${up%.*}\${up#*.}; }`;

export function scripts({ parameters, id }: HostScriptRequest<ContainerKillParameters>): HostScripts {
  const { signal, comesBackWithin } = parameters;
  return {
    look: `${lookContainer(parameters)}
${identityFunctions}
case $policy in
  always|unless-stopped|on-failure) ;;
  *) refuse "its restart policy is $policy: nothing would bring it back (container-pause takes it away and gives it back)" ;;
esac
start=$(start_of "$pid")
[ -n "$start" ] || refuse "its main process $pid is not seen here: make the machine below the target"
kill -0 "$pid" 2>/dev/null || refuse "its main process $pid is not ours to kill: log in as its user, or as root"
save process "$pid/$start"; save policy "$policy"`,
    inject: `${identityFunctions}
${hundredths}
process=@process@
is "\${process%/*}" "\${process#*/}" || { echo 'its main process is not the one that was found any more'; exit 1; }
hundredths; echo "$up" >"$CHAOS_RUN_DIR/killed"
kill -${signal} "\${process%/*}"`,
    verify: `${askAgain}
${identityFunctions}
${hundredths}
process=@process@ old=\${process%/*}
killed= gone=
for d in /run/chaos "/dev/shm/chaos-$(id -u)" /var/lib/chaos "$HOME/.chaos"; do [ -r "$d/${id}/killed" ] && { read -r killed <"$d/${id}/killed"; break; }; done
[ -n "$killed" ] || { echo 'nobody knows when it was killed'; exit 1; }
while :; do
  is "$old" "\${process#*/}" || gone=1
  ask @id@ || { echo "$said"; exit 1; }
  hundredths; waited=$(((up - killed) * 10))
  if [ -n "$gone" ] && [ "$state" = running ] && [ "$pid" != "$old" ]; then
    echo "it runs again as process $pid after $waited ms (restart policy @policy@), was $old"
    break
  fi
  if [ $waited -ge ${durationMs(comesBackWithin)} ]; then
    [ -n "$gone" ] || { echo "process $old is still there"; exit 3; }
    echo "it is $state after $waited ms (restart policy @policy@)"
    break
  fi
  sleep 0.1 2>/dev/null || sleep 1
done
measure restartedWithin "$waited"`,
    undo: `${askAgain}
ask @id@ || { echo "$said"; gone; exit; }
# What podman starts stays in the control group that it is called in, and the unit of the fuse's watcher would not go before the container.
apart() { if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && have systemd-run; then systemd-run --quiet --scope "$@"; else "$@"; fi; }
[ "$state" = running ] || apart "$tool" start @id@ || "$tool" start @id@`,
    check: `${askAgain}
if ask @id@; then
  echo "container @id@ is $state"
  [ "$state" = running ] || exit 3
else
  echo "$said"; exit 3
fi`,
    undoInWords: `its restart policy brings it back, else docker or podman start ${parameters.container}`,
  };
}
