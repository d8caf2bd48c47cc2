/** The shell texts of `container-pause`. The container is its id: one that took over the name is never touched. */
import { askAgain, lookContainer } from '../container.ts';
import type { HostScriptRequest, HostScripts } from '../host-fault/contract.ts';
import type { ContainerPauseParameters } from './schema.ts';

export function scripts({ parameters }: HostScriptRequest<ContainerPauseParameters>): HostScripts {
  return {
    look: lookContainer(parameters),
    inject: '@tool@ pause @id@',
    verify: `${askAgain}
ask @id@ || { echo "$said"; exit 3; }
echo "container @id@ is $state"
[ "$state" = paused ] || exit 3`,
    // One that is gone has nothing left to undo; a command that does not answer tells nothing.
    undo: `${askAgain}
if ask @id@; then
  [ "$state" != paused ] || "$tool" unpause @id@
elif ! gone; then
  echo "$said"; exit 1
fi`,
    check: `${askAgain}
if ask @id@; then
  echo "container @id@ is $state"
  [ "$state" != paused ] || exit 3
else
  echo "$said"
  gone || exit 3
  echo 'it was removed by somebody else'
fi`,
    undoInWords: `docker or podman unpause ${parameters.container}`,
  };
}
