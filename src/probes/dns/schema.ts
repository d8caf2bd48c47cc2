// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
import { isIP } from 'node:net';
import * as z from 'zod';
import { parseEndpoint } from '../endpoint.ts';
import { isReference, rateField, timeoutField } from '../fields.ts';

/** What stands under `dns` in an environment file. */
export const DnsSpec = z.strictObject({
  name: z
    .string()
    .regex(/^(?=.{1,253}\.?$)(?:[A-Za-z0-9_*-]{1,63}(?:\.|$))+$/, { error: 'expected a domain name' })
    .meta({
      description: 'The name that is asked for; the names of /etc/hosts and search domains do not count.',
      examples: ['shop.example'],
    }),
  type: z
    .enum(['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SRV', 'TXT'])
    .default('A')
    .meta({ description: 'The type of record that is asked for. Default A.' }),
  server: z
    .string()
    .refine(isServer, { error: 'expected the IP address of a name server, with or without a port, such as 10.0.0.53:53' })
    .optional()
    .meta({ description: 'Name server that is asked, as address:port. Default: those of /etc/resolv.conf.', examples: ['10.0.0.53:53'] }),
  expect: z
    .string()
    .min(1)
    .optional()
    .meta({
      description:
        'One of the answers must be this: an address, a name, `10 mail.example` for MX, `0 5 443 web.example` for SRV. Default: any answer is ok.',
      examples: ['10.0.0.7'],
    }),
  rate: rateField('1/s', 'How often a question is meant to be asked; no slot is ever skipped.'),
  timeout: timeoutField('2s', 'A question without an answer by then is a sample that is not ok and ends at the timeout.'),
});
export type DnsSpec = z.infer<typeof DnsSpec>;

function isServer(text: string): boolean {
  return isReference(text) || isIP(text) !== 0 || isIP(parseEndpoint(text)?.host ?? '') !== 0;
}
