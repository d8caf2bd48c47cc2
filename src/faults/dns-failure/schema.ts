import * as z from 'zod';
import { hostNameField } from '../name-lookup.ts';

export const dnsFailureParameters = () =>
  z.strictObject({
    how: z.enum(['reject', 'drop']).default('reject').meta({
      description:
        '`reject`: lookups fail at once, as when no name server runs; `drop`: they wait for an answer that never comes, seconds each. Default reject.',
    }),
    lookup: hostNameField().optional().meta({
      description:
        'A name that the host can resolve now, 1 to 253 characters: looked up before, and while the fault is in effect. Default: none; then the queries that were stopped are the proof.',
    }),
  });
export type DnsFailureParameters = z.infer<ReturnType<typeof dnsFailureParameters>>;
