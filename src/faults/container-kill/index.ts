/** `container-kill`: the main process of a container dies, as in a crash. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type ContainerKillParameters, containerKillParameters } from './schema.ts';

export const containerKill: FaultDefinition<ContainerKillParameters> = hostFault({
  kind: 'container-kill',
  title: 'Container kill',
  summary: 'Kills the main process of a container as a crash does, and watches the container come back.',
  reversibility: 'compensable',
  heals: 'by-itself',
  parameters: containerKillParameters,
  measures: {
    restartedWithin: {
      unit: 'duration',
      source: 'fault',
      description: 'From the kill until the container ran again, or for how long it was waited for; the slowest target.',
    },
  },
  needs: ['containers'],
  duration: 'none',
  reboot: 'kept',
  timeoutMs: 700_000,
  load: () => import('./scripts.ts'),
});
