/** The shell texts of `service-kill`. */
import { shellQuote } from '../../core/text.ts';
import { durationMs } from '../fields.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { lookService, unitName } from '../systemd.ts';
import type { ServiceKillParameters } from './schema.ts';

export function scripts({ parameters, id }: HostScriptRequest<ServiceKillParameters>): HostScripts {
  const { signal, comesBackWithin } = parameters;
  const unit = shellQuote(unitName(parameters.unit));
  const property = `property() { systemctl show -p "$1" ${unit} | cut -d= -f2-; }
hundredths() { read -r up _ </proc/uptime; up=\${up%.*}\${up#*.}; }`;
  return {
    look: `${lookService(parameters.unit)}
pid=$(property MainPID) restart=$(property Restart)
[ "$pid" -gt 1 ] || refuse ${unit}' has no main process'
case $restart in
  no) refuse ${unit}' has Restart=no: systemd will not bring it back (service-stop takes it away and gives it back)' ;;
  on-success) [ ${signal} = TERM ] || [ ${signal} = INT ] || refuse ${unit}" has Restart=on-success: it does not come back after SIG${signal}" ;;
  on-failure|on-abnormal|on-abort|on-watchdog)
    case $restart.${signal} in *.TERM|*.INT) refuse ${unit}" has Restart=$restart: an end by SIG${signal} counts as clean, so it does not come back" ;; esac ;;
esac
save pid "$pid"; save restart "$restart"`,
    inject: `${property}
[ "$(property MainPID)" = @pid@ ] || { echo 'its main process is not the one that was found any more'; exit 1; }
hundredths; echo "$up" >"$CHAOS_RUN_DIR/killed"
systemctl kill --kill-who=main -s ${signal} ${unit}`,
    verify: `${property}
killed=
for d in /run/chaos "/dev/shm/chaos-$(id -u)" /var/lib/chaos; do [ -r "$d/${id}/killed" ] && { read -r killed <"$d/${id}/killed"; break; }; done
[ -n "$killed" ] || { echo 'nobody knows when it was killed'; exit 1; }
while :; do
  now=$(property MainPID) active=$(property ActiveState)
  hundredths; waited=$(((up - killed) * 10))
  [ "$now" = @pid@ ] || gone=1
  if [ "$active" = active ] && [ "$now" -gt 1 ] && [ "$now" != @pid@ ]; then
    echo ${unit}" is active again as process $now after $waited ms (Restart=@restart@), was @pid@"
    break
  fi
  if [ $waited -ge ${durationMs(comesBackWithin)} ]; then
    [ -n "\${gone:-}" ] || { echo 'process @pid@ is still there'; exit 3; }
    echo ${unit}" is $active after $waited ms (Restart=@restart@)"
    break
  fi
  sleep 0.05 2>/dev/null || sleep 1
done
measure restartedWithin "$waited"`,
    // One that waits for its RestartSec is not started before that is over, only restarted: systemd, service_start() in src/core/service.c.
    undo: `${property}
systemctl is-active -q ${unit} || {
  systemctl reset-failed ${unit} 2>/dev/null
  case $(property SubState) in auto-restart*) systemctl restart ${unit} ;; *) systemctl start ${unit} ;; esac
}`,
    check: `state=$(systemctl is-active ${unit})
echo ${unit}" is $state"
[ "$state" = active ] || exit 3`,
    undoInWords: `systemd brings it back, else systemctl start ${unitName(parameters.unit)}`,
  };
}
