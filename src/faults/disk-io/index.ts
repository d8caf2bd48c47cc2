/** `disk-io`: a disk of a host is kept busy, as by a backup or a runaway query. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type DiskIoParameters, diskIoParameters } from './schema.ts';

export const diskIo: FaultDefinition<DiskIoParameters> = hostFault({
  kind: 'disk-io',
  title: 'Disk I/O load',
  summary: 'Keeps a disk of a host busy with reading and writing.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: diskIoParameters,
  measures: {
    megabytesMoved: {
      unit: 'count',
      source: 'fault',
      description: 'Megabytes that the fault read and wrote in a second while it was in effect, the fastest target.',
    },
  },
  needs: [],
  duration: 'optional',
  reboot: 'kept',
  timeoutMs: 120_000,
  load: () => import('./scripts.ts'),
});
