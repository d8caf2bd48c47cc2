import * as z from 'zod';
import { durationPattern, parseDuration } from '../../core/units.ts';
import { rateField, timeoutField } from '../fields.ts';
import { checkAccess, httpAccess, urlField } from '../http-fields.ts';

/** What stands under `elasticsearch` in an environment file. */
export const ElasticsearchSpec = z
  .strictObject({
    url: urlField('Address of the cluster, or of an OpenSearch cluster.'),
    index: z
      .string()
      .regex(/^[^\s/?#\\"<>|]+$/, { error: 'expected the name of an index, or a pattern such as logs-*' })
      .meta({ description: 'Index, data stream, alias or pattern of them; one that matches nothing is an error.', examples: ['logs-*'] }),
    query: z
      .string()
      .min(1)
      .meta({ description: 'What is counted, in the Lucene syntax of query strings.', examples: ['level:ERROR AND service:checkout'] }),
    window: z
      .string()
      .regex(durationPattern, { error: 'expected a duration such as 1m' })
      .refine((text) => (parseDuration(text) ?? 1_000) >= 1_000, { error: 'expected at least 1s' })
      .default('1m')
      .meta({ description: 'Only what its time field says is of the last so long is counted. Default 1m.' }),
    timeField: z.string().min(1).default('@timestamp').meta({ description: 'The field with the time. Default @timestamp.' }),
    ...httpAccess,
    rate: rateField('1/s', 'How often the cluster is asked; lines become visible when it refreshes, mostly once a second.'),
    timeout: timeoutField('5s', 'A question without a complete answer by then is a sample that is not ok and ends at the timeout.'),
  })
  .superRefine(checkAccess);
export type ElasticsearchSpec = z.infer<typeof ElasticsearchSpec>;
