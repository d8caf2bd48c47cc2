// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
import * as z from 'zod';
import { parseEndpoint } from '../endpoint.ts';
import { ExpectText } from '../expectations.ts';
import { isReference, rateField, timeoutField } from '../fields.ts';
import { Tls } from '../tls.ts';

/** What stands under `tcp` in an environment file. */
export const TcpSpec = z.strictObject({
  address: z
    .string()
    .refine((text) => isReference(text) || parseEndpoint(text) !== undefined, {
      error: 'expected host:port, such as db-a:5432 or [fd00::7]:5432',
    })
    .meta({ description: 'What is connected to, as host:port.', examples: ['mail.example:25'] }),
  send: z
    .string()
    .min(1)
    .optional()
    .meta({ description: 'Sent once connected, as UTF-8; line ends are not added. Default nothing.', examples: ['PING\r\n'] }),
  expectText: ExpectText.optional().meta({
    description:
      'A text that must come within the first 16 KiB, or a pattern that they must match. Default: a connection is enough, whatever comes.',
    examples: ['+PONG', { matches: '^220 ' }],
  }),
  tls: Tls.optional().meta({ description: 'Speak TLS, trusting these; {} for the well-known authorities. Default: no TLS.' }),
  rate: rateField('1/s', 'How often a connection is meant to be opened; no slot is ever skipped.'),
  timeout: timeoutField('2s', 'A connection without all that is expected by then is a sample that is not ok and ends at the timeout.'),
});
export type TcpSpec = z.infer<typeof TcpSpec>;
