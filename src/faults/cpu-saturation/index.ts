/** `cpu-saturation`: cores of a host are kept busy, as by a runaway process. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type CpuSaturationParameters, cpuSaturationParameters } from './schema.ts';

export const cpuSaturation: FaultDefinition<CpuSaturationParameters> = hostFault({
  kind: 'cpu-saturation',
  title: 'CPU saturation',
  summary: 'Keeps cores of a host busy to a given percentage.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: cpuSaturationParameters,
  measures: {
    cpuBusy: {
      unit: 'ratio',
      source: 'fault',
      description: 'Share of all cores that was busy while the fault was in effect, the busiest target.',
    },
  },
  needs: [],
  duration: 'optional',
  reboot: 'cleared',
  load: () => import('./scripts.ts'),
});
