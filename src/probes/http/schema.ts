import * as z from 'zod';
import { rateField, timeoutField } from '../fields.ts';

/** RFC 9110: a header's name is a token; its value has no line breaks or other control characters. */
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const statusRange = /^[1-5]\d\d(?:-[1-5]\d\d)?$/;

/** What stands under `http` in an environment file. */
export const HttpSpec = z.strictObject({
  url: z
    .string()
    .refine(isHttpUrl, { error: 'expected a URL that begins with http:// or https://' })
    .meta({ description: 'What is requested: an http or https URL. Redirects are not followed, their status counts.' }),
  method: z
    .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
    .default('GET')
    .meta({ description: 'The HTTP method. Default GET.' }),
  headers: z
    .record(
      z.string().regex(headerName, { error: 'expected the name of an HTTP header' }),
      z.string().regex(headerValue, { error: 'expected a header value without line breaks' }),
    )
    .default({})
    .meta({ description: 'Headers sent with each request, name to value. Default none.' }),
  body: z.string().optional().meta({ description: 'The body sent with each request, as UTF-8. Default none.' }),
  rate: rateField('10/s', 'How often a request is meant to start; no slot is ever skipped.'),
  timeout: timeoutField('2s', 'A request without a complete answer by then is a sample that is not ok and ends at the timeout.'),
  expectStatus: z
    .union([
      z.int().min(100).max(599),
      z
        .string()
        .regex(statusRange, { error: 'expected a status such as 201 or a range such as 200-399' })
        .refine(isOrderedRange, { error: 'expected a range from low to high, such as 200-399' }),
    ])
    .default('200-399')
    .meta({ description: 'The status, or the inclusive range of statuses, that is ok. Default 200-399.' }),
  connection: z.enum(['keep-alive', 'new']).default('keep-alive').meta({
    description: 'Use connections again, or open a new one for each request: keep-alive hides a broken load balancer. Default keep-alive.',
  }),
});
export type HttpSpec = z.infer<typeof HttpSpec>;

/** A text with a secret reference in it is a URL only once that is resolved. */
function isHttpUrl(text: string): boolean {
  if (text.includes('${')) return true;
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** The inclusive bounds of `expectStatus`. */
export function statusBounds(expected: HttpSpec['expectStatus']): { readonly low: number; readonly high: number } {
  const [low = 0, high = low] = String(expected).split('-').map(Number);
  return { low, high };
}

function isOrderedRange(text: string): boolean {
  const { low, high } = statusBounds(text);
  return low <= high;
}
