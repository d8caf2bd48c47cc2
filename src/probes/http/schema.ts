import * as z from 'zod';
import { ExpectJson, ExpectText } from '../expectations.ts';
import { rateField, timeoutField } from '../fields.ts';
import { checkAccess, httpAccess, urlField } from '../http-fields.ts';

const statusRange = /^[1-5]\d\d(?:-[1-5]\d\d)?$/;

/** What stands under `http` in an environment file. */
export const HttpSpec = z
  .strictObject({
    url: urlField('What is requested: an http or https URL. Redirects are not followed, their status counts.'),
    method: z
      .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
      .default('GET')
      .meta({ description: 'The HTTP method. Default GET.' }),
    ...httpAccess,
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
    expectText: ExpectText.optional().meta({
      description: 'A text that must stand in the first mebibyte of the body, or a pattern that it must match. Default: any body is ok.',
      examples: ['in stock', { matches: '"stock": *[1-9]' }],
    }),
    expectJson: ExpectJson.optional().meta({
      description: 'Values that the body must have as JSON, by their paths; all must hold. Default: any body is ok.',
      examples: [{ 'data.status': 'ready', 'queues[0].length': '< 100' }],
    }),
    connection: z.enum(['keep-alive', 'new']).default('keep-alive').meta({
      description:
        'Use connections again, or open a new one for each request: keep-alive hides a broken load balancer. Default keep-alive.',
    }),
  })
  .superRefine((spec, context) => {
    checkAccess(spec, context);
    for (const field of ['expectText', 'expectJson'] as const) {
      if (spec.method === 'HEAD' && spec[field] !== undefined)
        context.addIssue({ code: 'custom', path: [field], message: 'an answer to HEAD has no body' });
    }
  });
export type HttpSpec = z.infer<typeof HttpSpec>;

/** The inclusive bounds of `expectStatus`. */
export function statusBounds(expected: HttpSpec['expectStatus']): { readonly low: number; readonly high: number } {
  const [low = 0, high = low] = String(expected).split('-').map(Number);
  return { low, high };
}

function isOrderedRange(text: string): boolean {
  const { low, high } = statusBounds(text);
  return low <= high;
}
