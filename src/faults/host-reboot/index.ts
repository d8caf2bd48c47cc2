/** `host-reboot`: a host restarts, and must come back by itself. */
import type { FaultDefinition } from '../contract.ts';
import { lazyStages } from '../lazy-stages.ts';
import { HostRebootParameters } from './schema.ts';

export const hostReboot: FaultDefinition<HostRebootParameters> = {
  kind: 'host-reboot',
  title: 'Host reboot',
  summary: 'Restarts a host, in good order or at once, and watches it come back.',
  reversibility: 'irreversible',
  heals: 'by-itself',
  parameters: HostRebootParameters,
  measures: {
    backWithin: {
      unit: 'duration',
      source: 'fault',
      description: 'From the command until the host could be logged in to again after its restart, or for how long it was waited for.',
    },
  },
  needs: ['root'],
  duration: 'none',
  plan: async (request) => (await import('./plan.ts')).plan(request),
  ...lazyStages(() => import('./stages.ts')),
};
