import * as z from 'zod';
import { rateField, timeoutField } from '../fields.ts';

/** What stands under `postgres-ledger` in an environment file. */
export const LedgerSpec = z.strictObject({
  database: z.string().min(1).meta({ description: 'The name of the database cluster, from `databases`, that is written to.' }),
  rate: rateField('50/s', 'How often a row is meant to be written. The longest gap between acknowledgements is known to within one slot.'),
  connections: z.int().min(1).max(64).default(4).meta({
    description:
      'Connections the writes are spread over, 1 to 64. More are needed where one commit takes longer than connections / rate. Default 4.',
  }),
  timeout: timeoutField(
    '2s',
    'A write without an answer by then is given up together with its connection; it may still have been committed.',
  ),
});
export type LedgerSpec = z.infer<typeof LedgerSpec>;
