/** The shell texts of `process-pause`. A process is its id and its start, as in `process-kill`: one that took over the id is never touched. */
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import { finderText, identityFunctions } from '../process-kill/shell.ts';
import type { ProcessPauseParameters } from './schema.ts';

const each = `for p in $(echo '@processes@' | tr + ' '); do pid=\${p%%/*} start=\${p#*/}`;

export function scripts({ parameters }: HostScriptRequest<ProcessPauseParameters>): HostScripts {
  return { look: look(parameters), inject, verify, undo, check };
}

function look(parameters: ProcessPauseParameters): string {
  return `${identityFunctions}
${finderText(parameters)}
processes= count=0
for p in $(found); do processes=$processes\${processes:++}$p; count=$((count + 1)); done
[ $count -eq ${parameters.count} ] || refuse "$count processes match here, expected ${parameters.count}\${processes:+: $processes}"
for p in $(found); do
  pid=\${p%%/*}
  kill -0 "$pid" 2>/dev/null || refuse "process $pid is not ours to pause: log in as its user, or as root"
  [ "$(state_of "$pid")" != T ] || refuse "process $pid is paused already"
done
save processes "$processes"`;
}

const inject = `${identityFunctions}
${each}; is "$pid" "$start" || { echo "process $pid is not the one that was found any more"; exit 1; }; done
${each}; kill -STOP "$pid" || exit 1; done`;

const verify = `${identityFunctions}
all=0
${each}
  state=$(state_of "$pid")
  echo "process $pid: state \${state:-gone}"
  [ "$state" = T ] || all=3
done
exit $all`;

/** CONT means nothing to a process that runs. */
const undo = `${identityFunctions}
${each}; if is "$pid" "$start"; then kill -CONT "$pid"; fi; done
:`;

const check = `${identityFunctions}
left=0
${each}
  if is "$pid" "$start"; then
    state=$(state_of "$pid")
    echo "process $pid: state $state"
    [ "$state" != T ] || left=3
  else
    echo "process $pid has ended meanwhile"
  fi
done
exit $left`;
