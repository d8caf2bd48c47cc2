/** `network-corrupt`: packets of a host arrive with a flipped bit. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type NetworkCorruptParameters, networkCorruptParameters } from './schema.ts';

export const networkCorrupt: FaultDefinition<NetworkCorruptParameters> = hostFault({
  kind: 'network-corrupt',
  title: 'Network corruption',
  summary: 'Packets of a host arrive with a flipped bit.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: networkCorruptParameters,
  measures: {},
  needs: ['tc', 'network', 'netem', 'corrupt'],
  duration: 'optional',
  reboot: 'cleared',
  load: () => import('./scripts.ts'),
});
