/** Asks an Alertmanager at a fixed rate whether an alert is firing. */
import { startAsking } from '../asking.ts';
import type { ProbeContext, ProbeDefinition, RunningProbe } from '../contract.ts';
import { longestSample } from '../fields.ts';
import { literalSecrets } from '../http-fields.ts';
import { tlsTrust } from '../tls.ts';
import { AlertmanagerSpec } from './schema.ts';

export const alertmanagerProbe: ProbeDefinition<AlertmanagerSpec> = {
  kind: 'alertmanager',
  summary: 'Asks at a fixed rate whether an alert is firing; its value is 1 when it is and 0 when it is not.',
  spec: AlertmanagerSpec,
  gives: ['value'],
  files: [['tls', 'ca']],
  literalSecrets,
  longestSampleMs: longestSample,
  start(spec: AlertmanagerSpec, context: ProbeContext): RunningProbe {
    const trust = tlsTrust(context.name, spec.tls);
    return startAsking(spec, context, async () => (await import('./alerts.ts')).alertsApi(spec, trust));
  },
};
