/** `dns-spoof`: names lead a host to wrong addresses, as by a wrong record or a hijacked name server. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type DnsSpoofParameters, dnsSpoofParameters } from './schema.ts';

export const dnsSpoof: FaultDefinition<DnsSpoofParameters> = hostFault({
  kind: 'dns-spoof',
  title: 'DNS spoof',
  summary: 'Names lead a host to addresses of your choice, by lines in its /etc/hosts.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: dnsSpoofParameters,
  measures: {},
  needs: ['root', 'resolver'],
  duration: 'optional',
  reboot: 'kept',
  load: () => import('./scripts.ts'),
});
