/** `network-bandwidth`: the link of a host carries less. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type NetworkBandwidthParameters, networkBandwidthParameters } from './schema.ts';

export const networkBandwidth: FaultDefinition<NetworkBandwidthParameters> = hostFault({
  kind: 'network-bandwidth',
  title: 'Network bandwidth',
  summary: 'The link of a host carries less.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: networkBandwidthParameters,
  measures: {},
  needs: ['tc', 'network', 'tbf'],
  duration: 'optional',
  reboot: 'cleared',
  load: () => import('./scripts.ts'),
});
