import * as z from 'zod';
import { containerFields } from '../container.ts';
import { durationField } from '../fields.ts';

export const containerKillParameters = () =>
  z.strictObject({
    ...containerFields(),
    signal: z
      .enum(['KILL', 'TERM', 'INT', 'QUIT', 'ABRT', 'SEGV'])
      .default('KILL')
      .meta({ description: 'Signal for its main process. Default KILL, which cannot be caught.' }),
    comesBackWithin: durationField({ min: 100, max: 600_000 }).default('30s').meta({
      description:
        'How long the restart policy may take to bring it back, 100ms to 10m; after that it is started by hand. Default 30s. Refused where the policy would not bring it back.',
    }),
  });
export type ContainerKillParameters = z.infer<ReturnType<typeof containerKillParameters>>;
