/** `network-duplicate`: packets of a host arrive twice. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type NetworkDuplicateParameters, networkDuplicateParameters } from './schema.ts';

export const networkDuplicate: FaultDefinition<NetworkDuplicateParameters> = hostFault({
  kind: 'network-duplicate',
  title: 'Network duplication',
  summary: 'Packets of a host arrive twice.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: networkDuplicateParameters,
  measures: {},
  needs: ['tc', 'network', 'netem', 'duplicate'],
  duration: 'optional',
  reboot: 'cleared',
  load: () => import('./scripts.ts'),
});
