/** The shell texts of `service-stop`. Stopping a unit takes along those that need it, and sockets would start it again: all of them come back. */
import { shellQuote } from '../../core/text.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { lookService, unitName } from '../systemd.ts';
import type { ServiceStopParameters } from './schema.ts';

export function scripts({ parameters }: HostScriptRequest<ServiceStopParameters>): HostScripts {
  const unit = shellQuote(unitName(parameters.unit));
  const all = `${unit} $(echo '@triggers@' | tr + ' ') $(echo '@others@' | tr + ' ')`;
  return {
    look: `${lookService(parameters.unit)}
active_of() { found=; for u in $1; do case $u in *[!A-Za-z0-9_.:@-]*) refuse "$u would be stopped too, and its name cannot be carried" ;; esac
  if systemctl is-active -q "$u"; then found=$found\${found:++}$u; fi; done; }
active_of "$(property TriggeredBy)"; triggers=$found
active_of "$(property RequiredBy) $(property BoundBy) $(property ConsistsOf)"; others=$found
case +$others+ in *+ssh.service+*|*+sshd.service+*|*+multi-user.target+*) refuse "stopping it would stop $others too" ;; esac
save triggers "$triggers"; save others "$others"`,
    // The sockets first, so that none starts it again meanwhile.
    inject: `for u in $(echo '@triggers@' | tr + ' ') ${unit}; do systemctl stop "$u" || exit 1; done`,
    verify: `state=$(systemctl is-active ${unit})
echo ${unit}" is $state; stopped with it: $(echo '@triggers@ @others@' | tr + ' ')"
case $state in inactive|failed) ;; *) exit 3 ;; esac`,
    undo: `for u in ${all}; do
  systemctl is-active -q "$u" || { systemctl reset-failed "$u" 2>/dev/null; systemctl start "$u"; }
done`,
    check: `left=0
for u in ${all}; do
  state=$(systemctl is-active "$u")
  echo "$u is $state"
  [ "$state" = active ] || left=3
done
exit $left`,
  };
}
