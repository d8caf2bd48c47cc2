/** `network-partition`: a host cannot be reached by its peers, or cannot reach them. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type NetworkPartitionParameters, networkPartitionParameters } from './schema.ts';

export const networkPartition: FaultDefinition<NetworkPartitionParameters> = hostFault({
  kind: 'network-partition',
  title: 'Network partition',
  summary: 'A host cannot be reached by its peers, or cannot reach them.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: networkPartitionParameters,
  measures: {},
  needs: ['root', 'firewall'],
  duration: 'optional',
  reboot: 'cleared',
  load: () => import('./scripts.ts'),
});
