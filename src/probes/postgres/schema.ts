// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
import * as z from 'zod';
import { parseEndpoint } from '../endpoint.ts';
import { isReference, rateField, timeoutField } from '../fields.ts';

const Connection = z.strictObject({
  address: z
    .string()
    .refine((text) => isReference(text) || parseEndpoint(text) !== undefined, { error: 'expected host:port, such as db-a:5432' })
    .meta({ description: 'The server, as host:port.', examples: ['db-a:5432'] }),
  database: z.string().min(1).meta({ description: 'Database to connect to.' }),
  user: z.string().min(1).meta({ description: 'Name of the database role; one that may only read is best.' }),
  password: z
    .string()
    .optional()
    .meta({ description: 'A reference. Default: none is sent.', examples: ['${file:keys/reader}'] }),
});

/** What stands under `postgres` in an environment file. */
export const PostgresSpec = z
  .strictObject({
    database: z
      .string()
      .min(1)
      .optional()
      .meta({
        description: 'The name of a database cluster, from `databases`; its admin is used. Either this or `connection`.',
        examples: ['orders'],
      }),
    node: z
      .string()
      .min(1)
      .optional()
      .meta({
        description: 'Host of the cluster that is asked. Default: the one that takes writes, wherever that is.',
        examples: ['db-b'],
      }),
    connection: Connection.optional().meta({ description: 'A server that is not in `databases`. Either this or `database`.' }),
    query: z
      .string()
      .regex(/\S/, { error: 'expected a SQL query' })
      .meta({
        description: 'SQL that gives one row with one column, a number or a boolean (1 or 0); the session is read-only.',
        examples: ["SELECT count(*) FROM orders WHERE state = 'stuck'"],
      }),
    connections: z.int().min(1).max(16).default(2).meta({
      description: 'Most connections at a time, 1 to 16; a query that finds them all busy waits. Default 2.',
    }),
    rate: rateField('1/s', 'How often the query is asked; no slot is ever skipped.'),
    timeout: timeoutField(
      '5s',
      'A query without an answer by then is a sample that is not ok and ends at the timeout; the server ends it too.',
    ),
  })
  .superRefine(({ database, node, connection }, context) => {
    if ((database === undefined) === (connection === undefined)) {
      context.addIssue({ code: 'custom', message: 'expected exactly one of database and connection' });
    } else if (node !== undefined && database === undefined) {
      context.addIssue({ code: 'custom', path: ['node'], message: 'a node is one of a database cluster: did you mean database?' });
    }
  });
export type PostgresSpec = z.infer<typeof PostgresSpec>;
