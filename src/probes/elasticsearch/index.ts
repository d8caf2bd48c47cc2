/** Counts the matching lines of a log in Elasticsearch or OpenSearch at a fixed rate. */
import { startAsking } from '../asking.ts';
import type { ProbeContext, ProbeDefinition, RunningProbe } from '../contract.ts';
import { longestSample } from '../fields.ts';
import { literalSecrets } from '../http-fields.ts';
import { tlsTrust } from '../tls.ts';
import { ElasticsearchSpec } from './schema.ts';

export const elasticsearchProbe: ProbeDefinition<ElasticsearchSpec> = {
  kind: 'elasticsearch',
  summary: 'Counts matching documents of the last while at a fixed rate; ok is a complete count, which is its value.',
  spec: ElasticsearchSpec,
  gives: ['value'],
  files: [['tls', 'ca']],
  literalSecrets,
  longestSampleMs: longestSample,
  start(spec: ElasticsearchSpec, context: ProbeContext): RunningProbe {
    const trust = tlsTrust(context.name, spec.tls);
    return startAsking(spec, context, async () => (await import('./count.ts')).countApi(spec, trust));
  },
};
