/** `disk-fill`: a file system of a host fills up, as by a log that nobody rotates. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type DiskFillParameters, diskFillParameters } from './schema.ts';

export const diskFill: FaultDefinition<DiskFillParameters> = hostFault({
  kind: 'disk-fill',
  title: 'Disk fill',
  summary: 'Fills a file system of a host with one file.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: diskFillParameters,
  measures: {
    diskUsed: {
      unit: 'ratio',
      source: 'fault',
      description: 'Share of the file system that was in use while the fault was in effect, as df says; the fullest target.',
    },
  },
  needs: [],
  duration: 'optional',
  reboot: 'kept',
  timeoutMs: 600_000,
  load: () => import('./scripts.ts'),
});
