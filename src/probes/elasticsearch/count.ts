/** The `_count` API (https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-count); the server's clock says what now is. */
import * as z from 'zod';
import { parseDuration } from '../../core/units.ts';
import { type Found, JsonApi } from '../json-api.ts';
import type { TlsTrust } from '../tls.ts';
import type { ElasticsearchSpec } from './schema.ts';

const Count = z.object({ count: z.int().min(0), _shards: z.object({ failed: z.int().min(0) }) });
const Failure = z.object({ error: z.object({ type: z.string().regex(/^[a-z_]{1,25}_exception$/) }) });

export function countApi(spec: ElasticsearchSpec, tls: TlsTrust): JsonApi {
  // Its date arithmetic knows no milliseconds.
  const seconds = Math.ceil((parseDuration(spec.window) ?? 0) / 1_000);
  return new JsonApi({
    base: spec.url,
    path: `/${encodeURIComponent(spec.index)}/_count`,
    // A pattern that matches no index would else count nothing and call that zero.
    parameters: [
      ['allow_no_indices', 'false'],
      ['ignore_unavailable', 'false'],
    ],
    access: spec,
    tls,
    body: {
      query: {
        bool: {
          filter: [{ query_string: { query: spec.query } }, { range: { [spec.timeField]: { gt: `now-${seconds}s`, lte: 'now' } } }],
        },
      },
    },
    read,
    refusal,
  });
}

function read(json: unknown): Found {
  const parsed = Count.safeParse(json);
  if (!parsed.success) return 'unexpected JSON';
  return parsed.data._shards.failed > 0 ? 'shards failed' : parsed.data.count;
}

/** `index_not_found`, `parsing`, … without the word exception; the reason beside it may hold anything. */
function refusal(json: unknown): string | undefined {
  const parsed = Failure.safeParse(json);
  return parsed.success ? parsed.data.error.type.replace(/_exception$/, '') : undefined;
}
