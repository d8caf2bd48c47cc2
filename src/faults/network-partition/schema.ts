import * as z from 'zod';
import { trafficFields } from '../network/schema.ts';

export const networkPartitionParameters = () =>
  z.strictObject({
    ...trafficFields(),
    direction: trafficFields()
      .direction.unwrap()
      .default('both')
      .meta({ description: 'Packets that leave the target, that arrive at it, or both. Default both.' }),
    how: z.enum(['drop', 'reject']).default('drop').meta({
      description: '`drop`: nothing comes back, as with a broken cable; `reject`: refused at once, as by a firewall. Default drop.',
    }),
  });
export type NetworkPartitionParameters = z.infer<ReturnType<typeof networkPartitionParameters>>;
