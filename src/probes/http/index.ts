/** Asks a URL at a fixed rate, as a user would. It knows nothing of SLOs. */
import { startAsking } from '../asking.ts';
import type { ProbeContext, ProbeDefinition, RunningProbe } from '../contract.ts';
import { longestSample } from '../fields.ts';
import { literalSecrets } from '../http-fields.ts';
import { tlsTrust } from '../tls.ts';
import { HttpSpec } from './schema.ts';

export const httpProbe: ProbeDefinition<HttpSpec> = {
  kind: 'http',
  summary: 'Requests a URL at a fixed rate; ok is an expected answer within the timeout.',
  spec: HttpSpec,
  gives: ['latency'],
  files: [['tls', 'ca']],
  literalSecrets,
  longestSampleMs: longestSample,
  start(spec: HttpSpec, context: ProbeContext): RunningProbe {
    const trust = tlsTrust(context.name, spec.tls);
    return startAsking(spec, context, async () => new (await import('./asker.ts')).HttpAsker(spec, trust));
  },
};
