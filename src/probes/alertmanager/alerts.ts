/** The alerts that an Alertmanager has now; it leaves resolved ones out itself. */
import * as z from 'zod';
import { type Found, JsonApi } from '../json-api.ts';
import type { TlsTrust } from '../tls.ts';
import type { AlertmanagerSpec } from './schema.ts';

/** Enough to know a list of alerts from anything else. */
const Alerts = z.array(z.object({ status: z.object({ state: z.enum(['active', 'suppressed', 'unprocessed']) }) }));

export function alertsApi(spec: AlertmanagerSpec, tls: TlsTrust): JsonApi {
  const muted = String(spec.muted);
  const filters = [`alertname="${spec.alert}"`, ...spec.matchers];
  return new JsonApi({
    base: spec.url,
    path: '/api/v2/alerts',
    parameters: [
      ['active', 'true'],
      ['unprocessed', 'true'],
      ['silenced', muted],
      ['inhibited', muted],
      ...filters.map((filter) => ['filter', filter] as const),
    ],
    access: spec,
    tls,
    read,
  });
}

function read(json: unknown): Found {
  const parsed = Alerts.safeParse(json);
  if (!parsed.success) return 'unexpected JSON';
  return parsed.data.length > 0 ? 1 : 0;
}
