import * as z from 'zod';
import { durationField } from '../fields.ts';
import { unitField } from '../systemd.ts';

export const serviceKillParameters = () =>
  z.strictObject({
    unit: unitField(),
    signal: z
      .enum(['KILL', 'TERM', 'INT', 'QUIT', 'ABRT', 'SEGV'])
      .default('KILL')
      .meta({ description: 'Signal to the main process. With `Restart=on-failure` TERM and INT count as a clean end. Default KILL.' }),
    comesBackWithin: durationField({ min: 1_000, max: 600_000 })
      .default('30s')
      .meta({ description: 'How long systemd may take to bring it back, 1s to 10m; after that rollback starts it. Default 30s.' }),
  });
export type ServiceKillParameters = z.infer<ReturnType<typeof serviceKillParameters>>;
