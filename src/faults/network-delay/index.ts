/** `network-delay`: packets of a host take longer. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type NetworkDelayParameters, networkDelayParameters } from './schema.ts';

export const networkDelay: FaultDefinition<NetworkDelayParameters> = hostFault({
  kind: 'network-delay',
  title: 'Network delay',
  summary: 'Packets of a host take longer.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: networkDelayParameters,
  measures: {
    delayAdded: { unit: 'duration', source: 'fault', description: 'What the round trip gained, by ping; the slowest target.' },
  },
  needs: ['tc', 'network', 'netem'],
  duration: 'optional',
  reboot: 'cleared',
  load: () => import('./scripts.ts'),
});
