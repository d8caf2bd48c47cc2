/** Reads one number from an answer of the query API (https://prometheus.io/docs/prometheus/latest/querying/api/). Pure. */
import * as z from 'zod';
import { assertNever } from '../../core/assert-never.ts';
import type { Found } from '../json-api.ts';
import type { PrometheusSpec } from './schema.ts';

/** Seconds, and the number as a text: JSON has no NaN and no infinity. */
const Point = z.tuple([z.number(), z.string()]);
const Success = z.object({
  status: z.literal('success'),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('vector'), result: z.array(z.object({ value: Point })) }),
    z.object({ resultType: z.literal('scalar'), result: Point }),
    z.object({ resultType: z.literal('matrix') }),
    z.object({ resultType: z.literal('string') }),
  ]),
});
const Failure = z.object({ status: z.literal('error'), errorType: z.string().regex(/^[a-z_]{1,20}$/) });

export function readQueryResult(json: unknown, series: PrometheusSpec['series']): Found {
  const parsed = Success.safeParse(json);
  if (!parsed.success) return refusal(json) ?? 'unexpected JSON';
  const { data } = parsed.data;
  switch (data.resultType) {
    case 'vector':
      return combine(
        data.result.map(({ value }) => numberOf(value[1])),
        series,
      );
    case 'scalar':
      return combine([numberOf(data.result[1])], series);
    case 'matrix':
      return 'a range, not a value';
    case 'string':
      return 'not a number';
    default:
      return assertNever(data);
  }
}

/** `bad_data`, `execution`, `timeout`, … as the API says it; the text beside it may hold anything. */
export function refusal(json: unknown): string | undefined {
  const parsed = Failure.safeParse(json);
  return parsed.success ? `query ${parsed.data.errorType}` : undefined;
}

function combine(values: readonly number[], series: PrometheusSpec['series']): Found {
  const [first, ...others] = values;
  if (first === undefined) return 'empty result';
  // The largest of a few series is not known when one of them is not a number.
  if (values.some((value) => !Number.isFinite(value))) return 'not a number';
  if (typeof series === 'object') return values.some((value) => value > series['any-above']) ? 1 : 0;
  const sum = values.reduce((total, value) => total + value, 0);
  switch (series) {
    case 'one':
      return others.length > 0 ? 'several series' : first;
    case 'sum':
      return sum;
    case 'max':
      return Math.max(...values);
    case 'min':
      return Math.min(...values);
    case 'avg':
      return sum / values.length;
    default:
      return assertNever(series);
  }
}

/** `+Inf`, `-Inf` and `NaN` are none. */
function numberOf(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}
