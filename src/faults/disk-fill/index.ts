/** `disk-fill`: fills a file system to a level with one file. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type DiskFillParameters, diskFillParameters } from './schema.ts';

export const diskFill: FaultDefinition<DiskFillParameters> = hostFault({
  kind: 'disk-fill',
  title: 'Disk fill',
  summary: 'Fills a file system to a level with one file.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: diskFillParameters,
  measures: {
    diskUsed: {
      unit: 'ratio',
      source: 'fault',
      description: 'Share of the file system that was not available while the fault was in effect, the fullest target.',
    },
  },
  duration: 'optional',
  reboot: 'kept',
  timeoutMs: 300_000,
  load: () => import('./scripts.ts'),
});
