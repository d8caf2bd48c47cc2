import * as z from 'zod';
import { durationField, sizeField } from '../fields.ts';

export const DbFailoverParameters = z
  .strictObject({
    engine: z
      .literal('postgresql')
      .default('postgresql')
      .meta({ description: 'The database engine; only PostgreSQL streaming replication so far.' }),
    mode: z.enum(['crash', 'planned']).meta({
      description:
        '`crash`: the primary is killed and may lose what was not replicated. `planned`: it is stopped cleanly, which must lose nothing.',
    }),
    promotion: z.enum(['perform', 'observe']).default('perform').meta({
      description:
        '`perform`: the runner promotes the standby. `observe`: something else must do it (crash only); the runner waits. Default perform.',
    }),
    database: z
      .string()
      .min(1)
      .optional()
      .meta({ description: 'Database cluster of the environment. Default: the only one with a node on the target.' }),
    promoteAfter: durationField({ min: 0, max: 600_000 }).default('0s').meta({
      description: 'Time between the loss of the primary and the promotion, 0s to 10m: how long people or tools take to react. Default 0s.',
    }),
    stall: durationField({ min: 1, max: 30_000 }).optional().meta({
      description:
        'Crash only: replication stands still this long (at most 30s) before the primary dies, so that writes can be lost. Default none.',
    }),
    maxLag: sizeField()
      .default('16MB')
      .meta({ description: 'Refused when the standby is further behind than this. Raise it only to rehearse data loss. Default 16MB.' }),
    promoteTimeout: durationField({ min: 1_000, max: 3_600_000 })
      .default('60s')
      .meta({ description: 'Longest time from the promotion’s start until the standby is writable, 1s to 1h. Default 60s.' }),
    rejoin: z.enum(['auto', 'rewind', 'clone']).default('auto').meta({
      description:
        'How the old primary becomes a standby: `rewind` (pg_rewind: only what differs), `clone` (copies all data), `auto` (rewind where it is possible). Default auto.',
    }),
  })
  .refine((value) => value.stall === undefined || value.mode === 'crash', { error: 'stall goes with mode crash only', path: ['stall'] })
  .refine((value) => value.promotion === 'perform' || value.mode === 'crash', {
    error: 'promotion observe goes with mode crash only: nothing promotes by itself after a clean stop',
    path: ['promotion'],
  });
export type DbFailoverParameters = z.infer<typeof DbFailoverParameters>;
