import * as z from 'zod';
import { durationField, shellField } from '../fields.ts';

export const ProcessKillParameters = z
  .strictObject({
    pidFile: z
      .string()
      .regex(/^[^\0\n@]+$/, { error: 'expected the path of a file, without @ or line ends' })
      .optional()
      .meta({
        description: 'File whose first line is the process id; a relative path starts at the login’s home. Either this or `match`.',
      }),
    match: z
      .string()
      .regex(/^[^\0\n@]+$/, { error: 'expected an extended regular expression on one line, without @' })
      .optional()
      .meta({
        description:
          'POSIX extended regular expression over the full command line; must match exactly `count` processes. Either this or `pidFile`.',
      }),
    count: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .meta({ description: 'How many processes `match` must find, 1 to 64, no more and no fewer; all are killed. Default 1.' }),
    signal: z
      .enum(['KILL', 'TERM', 'INT', 'QUIT', 'ABRT', 'HUP', 'SEGV'])
      .default('KILL')
      .meta({ description: 'Signal that is sent. KILL (the default) cannot be caught; with the others the process must end within 10 s.' }),
    restart: shellField().optional().meta({
      description: 'Shell command that starts the process again, used on rollback when it has not come back by itself. Must return.',
    }),
    comesBackWithin: durationField({ min: 100, max: 600_000 }).default('30s').meta({
      description: 'How long the process may take to come back by itself, 100ms to 10m; after that rollback uses `restart`. Default 30s.',
    }),
  })
  .refine((value) => (value.pidFile === undefined) !== (value.match === undefined), {
    error: 'expected exactly one of pidFile and match',
  })
  .refine((value) => value.pidFile === undefined || value.count === 1, {
    error: 'count goes with match only: a pid file names one process',
    path: ['count'],
  });
export type ProcessKillParameters = z.infer<typeof ProcessKillParameters>;
