import * as z from 'zod';
import { durationPattern, parseDuration } from '../../core/units.ts';
import { rateField, timeoutField } from '../fields.ts';
import { checkAccess, httpAccess, urlField } from '../http-fields.ts';

/** Only of a series as it was scraped is there a time; of anything computed it is the moment of the question. */
const plainSeries = /^\s*(?=[A-Za-z_:{])[A-Za-z0-9_:]*\s*(?:\{(?:[^{}"'`]|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)*\})?\s*$/;

/** What stands under `prometheus` in an environment file. */
export const PrometheusSpec = z
  .strictObject({
    url: urlField('Address of the server, or of what speaks its API, without /api/v1.'),
    query: z
      .string()
      .min(1)
      .meta({
        description: 'PromQL, evaluated at the moment of each sample.',
        examples: ['sum(rate(http_requests_total{code=~"5.."}[1m]))'],
      }),
    series: z
      .union([z.enum(['one', 'sum', 'max', 'min', 'avg']), z.strictObject({ 'any-above': z.number().meta({ description: 'The limit.' }) })])
      .default('one')
      .meta({
        description:
          'What becomes of several series: `one` refuses them, any-above is 1 when one of them is above the number and else 0. Default one.',
      }),
    maxAge: z
      .string()
      .regex(durationPattern, { error: 'expected a duration such as 1m' })
      .refine((text) => parseDuration(text) !== 0, { error: 'expected more than 0' })
      .optional()
      .meta({
        description:
          'Oldest that the latest scrape of any of the series may be; for a query that names series and computes nothing. Default: what the server takes, mostly 5m.',
      }),
    ...httpAccess,
    rate: rateField('1/s', 'How often the server is asked; more often than it scrapes gives the same numbers again.'),
    timeout: timeoutField('5s', 'A question without a complete answer by then is a sample that is not ok and ends at the timeout.'),
  })
  .superRefine((spec, context) => {
    checkAccess(spec, context);
    if (spec.maxAge === undefined || plainSeries.test(spec.query)) return;
    const message = 'nobody knows how old a computed value is\nlet query name series only, and series say what becomes of them';
    context.addIssue({ code: 'custom', path: ['maxAge'], message });
  });
export type PrometheusSpec = z.infer<typeof PrometheusSpec>;
