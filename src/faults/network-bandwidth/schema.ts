import * as z from 'zod';
import { sizeField } from '../fields.ts';
import { trafficFields } from '../network/schema.ts';

export const networkBandwidthParameters = () =>
  z.strictObject({
    ...trafficFields(),
    rate: z
      .string()
      .regex(/^[1-9]\d{0,5}(?:kbit|mbit|gbit)$/, { error: (issue) => `expected a rate such as 10mbit, got ${JSON.stringify(issue.input)}` })
      .meta({ description: 'Bits a second that pass: a whole number with kbit, mbit or gbit.', examples: ['10mbit'] }),
    burst: sizeField().default('32kB').meta({ description: 'Bytes that may pass at once. Default 32kB.' }),
    latency: z
      .int()
      .min(1)
      .max(60_000)
      .default(400)
      .meta({ description: 'A packet that would wait longer is dropped, 1 to 60000 ms. Default 400.' }),
  });
export type NetworkBandwidthParameters = z.infer<ReturnType<typeof networkBandwidthParameters>>;
