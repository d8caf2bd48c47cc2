/** `container-pause`: all processes of a container stand still. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type ContainerPauseParameters, containerPauseParameters } from './schema.ts';

export const containerPause: FaultDefinition<ContainerPauseParameters> = hostFault({
  kind: 'container-pause',
  title: 'Container pause',
  summary: 'All processes of a container stand still; its connections stay open and nobody answers.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: containerPauseParameters,
  measures: {},
  needs: ['containers'],
  duration: 'optional',
  reboot: 'cleared',
  timeoutMs: 60_000,
  load: () => import('./scripts.ts'),
});
