/** Asks a Prometheus server for one number at a fixed rate: what the monitoring says. */
import { startAsking } from '../asking.ts';
import type { ProbeContext, ProbeDefinition, RunningProbe } from '../contract.ts';
import { longestSample } from '../fields.ts';
import { literalSecrets } from '../http-fields.ts';
import { tlsTrust } from '../tls.ts';
import { PrometheusSpec } from './schema.ts';

export const prometheusProbe: ProbeDefinition<PrometheusSpec> = {
  kind: 'prometheus',
  summary: 'Evaluates a PromQL query at a fixed rate; ok is exactly one number, which is its value.',
  spec: PrometheusSpec,
  gives: ['value'],
  files: [['tls', 'ca']],
  literalSecrets,
  longestSampleMs: longestSample,
  start(spec: PrometheusSpec, context: ProbeContext): RunningProbe {
    const trust = tlsTrust(context.name, spec.tls);
    return startAsking(spec, context, async () => new (await import('./evaluator.ts')).Evaluator(spec, trust));
  },
};
