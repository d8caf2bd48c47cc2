/** `clock-skew`: the clock of a host is wrong, as with a broken time server or a bad virtual machine. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type ClockSkewParameters, clockSkewParameters } from './schema.ts';

export const clockSkew: FaultDefinition<ClockSkewParameters> = hostFault({
  kind: 'clock-skew',
  title: 'Clock skew',
  summary: 'Sets the clock of a host wrong by a given time and stops what would set it right.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: clockSkewParameters,
  measures: {
    clockSkew: {
      unit: 'duration',
      source: 'fault',
      description: 'How far the clock was off while the fault was in effect, either way, the worst target.',
    },
  },
  needs: ['root', 'clock'],
  duration: 'optional',
  // The hardware clock is not touched, and services are stopped, not disabled.
  reboot: 'cleared',
  load: () => import('./scripts.ts'),
});
