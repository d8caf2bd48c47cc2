/** Fields that probe specs share. They stay strings with units, so a parsed spec is plain data and parses to itself again. */
import * as z from 'zod';
import { durationPattern, parseDuration, parseRate, ratePattern } from '../core/units.ts';

/** A probe may not become load itself, and one sample an hour is the least that can be called measuring. */
const maxRate = 1_000;
const minRate = 1 / 3_600;
const minTimeoutMs = 10;
const maxTimeoutMs = 60_000;

/** Does a secret or another reference stand in `text`, so that what it is is known only once that is resolved? */
export function isReference(text: string): boolean {
  return text.includes('${');
}

/** Samples per second as `10/s`, `600/m`; between 1/h and 1000/s. */
export function rateField(byDefault: string, description: string) {
  return z
    .string()
    .regex(ratePattern, { error: 'expected a rate such as 10/s or 600/m' })
    .refine((text) => within(parseRate(text), minRate, maxRate), { error: 'expected a rate between 1/h and 1000/s' })
    .default(byDefault)
    .meta({ description: `${description} Between 1/h and 1000/s. Default ${byDefault}.` });
}

/** How long one sample may take, as `2s`; between 10 ms and 1 min. */
export function timeoutField(byDefault: string, description: string) {
  return z
    .string()
    .regex(durationPattern, { error: 'expected a duration such as 2s or 500ms' })
    .refine((text) => within(parseDuration(text), minTimeoutMs, maxTimeoutMs), { error: 'expected a timeout between 10ms and 1m' })
    .default(byDefault)
    .meta({ description: `${description} Between 10ms and 1m. Default ${byDefault}.` });
}

/** Refused by the pattern, not by the bounds, when it does not parse at all: one mistake gives one message. */
function within(value: number | undefined, min: number, max: number): boolean {
  return value === undefined || (value >= min && value <= max);
}

/** The schedule of a spec: `rate` in samples a second, `timeoutMs` for one sample. The spec has been parsed, so both are valid. */
export function timing(spec: { readonly rate: string; readonly timeout: string }): { readonly rate: number; readonly timeoutMs: number } {
  const rate = parseRate(spec.rate);
  const timeoutMs = parseDuration(spec.timeout);
  if (rate === undefined || timeoutMs === undefined) throw new RangeError(`not a parsed spec: rate ${spec.rate}, timeout ${spec.timeout}`);
  return { rate, timeoutMs };
}

/** How long after one sample the next must be there at the latest, ms: the distance of two slots and the timeout. */
export function longestSample(spec: { readonly rate: string; readonly timeout: string }): number {
  const { rate, timeoutMs } = timing(spec);
  return timeoutMs + 1_000 / rate;
}
