import * as z from 'zod';

export const processPauseParameters = () =>
  z
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
        .meta({ description: 'How many processes `match` must find, 1 to 64; all are paused. Default 1.' }),
    })
    .refine((value) => (value.pidFile === undefined) !== (value.match === undefined), {
      error: 'expected exactly one of pidFile and match',
    })
    .refine((value) => value.pidFile === undefined || value.count === 1, {
      error: 'count goes with match only: a pid file names one process',
      path: ['count'],
    });
export type ProcessPauseParameters = z.infer<ReturnType<typeof processPauseParameters>>;
