import * as z from 'zod';
import { durationField } from '../fields.ts';
import { correlationField, packetShare, trafficFields } from '../network/schema.ts';

export const networkReorderParameters = () =>
  z.strictObject({
    ...trafficFields(),
    percent: packetShare('sent at once, ahead of those that wait'),
    delay: durationField({ min: 1, max: 60_000 })
      .default('10ms')
      .meta({ description: 'How long the others wait, 1ms to 1m. Default 10ms.' }),
    gap: z.int().min(1).max(1_000).optional().meta({ description: 'Only every gap-th packet may overtake, 1 to 1000. Default: any.' }),
    correlation: correlationField(),
  });
export type NetworkReorderParameters = z.infer<ReturnType<typeof networkReorderParameters>>;
