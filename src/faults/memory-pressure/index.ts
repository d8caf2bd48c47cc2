/** `memory-pressure`: memory of a host is taken and held, as by a leak. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type MemoryPressureParameters, memoryPressureParameters } from './schema.ts';

export const memoryPressure: FaultDefinition<MemoryPressureParameters> = hostFault({
  kind: 'memory-pressure',
  title: 'Memory pressure',
  summary: 'Takes memory of a host and holds it; the OOM killer would take its processes first.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: memoryPressureParameters,
  measures: {
    memoryUsed: {
      unit: 'ratio',
      source: 'fault',
      description: 'Share of the memory that was in use (not available to new programs) once the fault held its part, the fullest target.',
    },
  },
  needs: [],
  duration: 'optional',
  reboot: 'cleared',
  timeoutMs: 300_000,
  load: () => import('./scripts.ts'),
});
