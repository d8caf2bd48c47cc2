/** `dns-failure`: a host can resolve no names, as when its name servers are down or cannot be reached. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type DnsFailureParameters, dnsFailureParameters } from './schema.ts';

export const dnsFailure: FaultDefinition<DnsFailureParameters> = hostFault({
  kind: 'dns-failure',
  title: 'DNS failure',
  summary: 'A host can resolve no names: its DNS queries are rejected, or their answers get lost.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: dnsFailureParameters,
  measures: {},
  needs: ['root', 'firewall', 'resolver'],
  duration: 'optional',
  reboot: 'cleared',
  load: () => import('./scripts.ts'),
});
