/** `service-stop`: stops a systemd service, and starts it again. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type ServiceStopParameters, serviceStopParameters } from './schema.ts';

export const serviceStop: FaultDefinition<ServiceStopParameters> = hostFault({
  kind: 'service-stop',
  title: 'Service stop',
  summary: 'Stops a systemd service, and starts it again.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: serviceStopParameters,
  measures: {},
  needs: ['root', 'systemd'],
  duration: 'optional',
  reboot: 'kept',
  timeoutMs: 120_000,
  load: () => import('./scripts.ts'),
});
