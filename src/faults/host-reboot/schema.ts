import * as z from 'zod';
import { durationField } from '../fields.ts';

export const HostRebootParameters = z.strictObject({
  how: z.enum(['orderly', 'hard']).default('orderly').meta({
    description:
      '`orderly`: services are stopped first, as by `reboot`; `hard`: at once, without writing anything to disk, as after a power failure. Default orderly.',
  }),
  backWithin: durationField({ min: 10_000, max: 3_600_000 })
    .default('5m')
    .meta({ description: 'How long it may take until the host can be logged in to again, 10s to 1h. Default 5m.' }),
});
export type HostRebootParameters = z.infer<typeof HostRebootParameters>;
