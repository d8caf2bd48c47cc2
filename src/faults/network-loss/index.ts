/** `network-loss`: packets of a host are lost. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type NetworkLossParameters, networkLossParameters } from './schema.ts';

export const networkLoss: FaultDefinition<NetworkLossParameters> = hostFault({
  kind: 'network-loss',
  title: 'Network loss',
  summary: 'Packets of a host are lost.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: networkLossParameters,
  measures: {},
  needs: ['tc', 'network', 'netem'],
  duration: 'optional',
  reboot: 'cleared',
  load: () => import('./scripts.ts'),
});
