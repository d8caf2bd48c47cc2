/** `chaosblade`: an experiment of ChaosBlade, on hosts that have its `blade` command. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type ChaosbladeParameters, chaosbladeParameters } from './schema.ts';

export const chaosblade: FaultDefinition<ChaosbladeParameters> = hostFault({
  kind: 'chaosblade',
  title: 'ChaosBlade experiment',
  summary: 'Runs a ChaosBlade experiment with the blade command of the host, and destroys it by its uid.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: chaosbladeParameters,
  measures: {},
  needs: ['blade'],
  duration: 'optional',
  reboot: 'kept',
  timeoutMs: 60_000,
  load: () => import('./scripts.ts'),
});
