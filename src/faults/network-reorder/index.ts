/** `network-reorder`: packets of a host overtake each other. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type NetworkReorderParameters, networkReorderParameters } from './schema.ts';

export const networkReorder: FaultDefinition<NetworkReorderParameters> = hostFault({
  kind: 'network-reorder',
  title: 'Network reordering',
  summary: 'Packets of a host overtake each other.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: networkReorderParameters,
  measures: {},
  needs: ['tc', 'network', 'netem', 'reorder'],
  duration: 'optional',
  reboot: 'cleared',
  load: () => import('./scripts.ts'),
});
