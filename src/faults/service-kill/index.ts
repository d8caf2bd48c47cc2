/** `service-kill`: kills the main process of a systemd service, which has to bring it back by itself. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type ServiceKillParameters, serviceKillParameters } from './schema.ts';

export const serviceKill: FaultDefinition<ServiceKillParameters> = hostFault({
  kind: 'service-kill',
  title: 'Service kill',
  summary: 'Kills the main process of a systemd service, which has to bring it back by itself.',
  reversibility: 'compensable',
  heals: 'by-itself',
  parameters: serviceKillParameters,
  measures: {
    restartedWithin: {
      unit: 'duration',
      source: 'fault',
      description: 'From the kill until the service was active again under a new process; the slowest target.',
    },
  },
  needs: ['root', 'systemd'],
  duration: 'none',
  reboot: 'cleared',
  timeoutMs: 660_000,
  load: () => import('./scripts.ts'),
});
