/** `memory-pressure`: fills the memory of a host to a level. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type MemoryPressureParameters, memoryPressureParameters } from './schema.ts';

export const memoryPressure: FaultDefinition<MemoryPressureParameters> = hostFault({
  kind: 'memory-pressure',
  title: 'Memory pressure',
  summary: 'Fills the memory of a host to a level.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: memoryPressureParameters,
  measures: {
    memoryUsed: {
      unit: 'ratio',
      source: 'fault',
      description: 'Share of the memory that was not available while the fault was in effect, the fullest target.',
    },
  },
  duration: 'optional',
  reboot: 'cleared',
  timeoutMs: 120_000,
  load: () => import('./scripts.ts'),
});
