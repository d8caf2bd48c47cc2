import * as z from 'zod';
import { durationField } from '../fields.ts';
import { correlationField, trafficFields } from '../network/schema.ts';

export const networkDelayParameters = () =>
  z.strictObject({
    ...trafficFields(),
    time: durationField({ min: 1, max: 60_000 }).meta({ description: 'Added to every packet, one way, 1ms to 1m.', examples: ['100ms'] }),
    jitter: durationField({ min: 1, max: 60_000 })
      .optional()
      .meta({ description: 'Up to this much more or less, 1ms to 1m. Default none. It may reorder packets.' }),
    correlation: correlationField(),
    distribution: z
      .enum(['uniform', 'normal', 'pareto', 'paretonormal'])
      .default('uniform')
      .meta({ description: 'How the jitter is spread. Default uniform.' }),
  });
export type NetworkDelayParameters = z.infer<ReturnType<typeof networkDelayParameters>>;
