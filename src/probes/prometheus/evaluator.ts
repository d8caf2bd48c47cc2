/** The query of a spec, and how old its series are where that matters. */
import { parseDuration } from '../../core/units.ts';
import type { Client, Reading } from '../asking.ts';
import { timing } from '../fields.ts';
import { JsonApi } from '../json-api.ts';
import type { Slot } from '../schedule.ts';
import type { TlsTrust } from '../tls.ts';
import { readQueryResult, refusal } from './answer.ts';
import type { PrometheusSpec } from './schema.ts';

export class Evaluator implements Client {
  readonly #value: JsonApi;
  readonly #age: JsonApi | undefined;
  readonly #maxAgeS: number;

  constructor(spec: PrometheusSpec, tls: TlsTrust) {
    const maxAge = spec.maxAge === undefined ? undefined : parseDuration(spec.maxAge);
    this.#maxAgeS = (maxAge ?? Number.POSITIVE_INFINITY) / 1_000;
    this.#value = queryApi(spec, tls, spec.query, spec.series);
    // A second question: the time in an answer is that of the question, and the server's own limit on age cannot be set in all versions.
    this.#age = maxAge === undefined ? undefined : queryApi(spec, tls, `time() - min(timestamp(${spec.query}))`, 'one');
  }

  async ask(slot: Slot): Promise<Reading> {
    const [reading, age] = await Promise.all([this.#value.ask(slot), this.#age?.ask(slot)]);
    if (!reading.ok || age === undefined) return reading;
    if (!age.ok) return age;
    return (age.value ?? 0) > this.#maxAgeS ? { ok: false, error: 'stale' } : reading;
  }

  close(): void {
    this.#value.close();
    this.#age?.close();
  }
}

function queryApi(spec: PrometheusSpec, tls: TlsTrust, query: string, series: PrometheusSpec['series']): JsonApi {
  return new JsonApi({
    base: spec.url,
    path: '/api/v1/query',
    parameters: [
      ['query', query],
      ['timeout', String(timing(spec).timeoutMs / 1_000)],
    ],
    access: spec,
    tls,
    read: (json) => readQueryResult(json, series),
    refusal,
  });
}
