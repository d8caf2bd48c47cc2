import * as z from 'zod';
import { amountFields, oneAmount, saysOneAmount } from '../amount.ts';

export const memoryPressureParameters = () =>
  z
    .strictObject({
      ...amountFields('the memory'),
      rate: z
        .string()
        .regex(/^\d{1,6}(?:MB|GB)\/s$/, { error: (issue) => `expected a rate such as 100MB/s, got ${JSON.stringify(issue.input)}` })
        .refine((text) => /[1-9]/.test(text), { error: 'expected a rate above 0MB/s' })
        .optional()
        .meta({
          description: 'Takes it step by step, about so much a second (whole MB or GB), as a leak does. Default: as fast as it can.',
        }),
      allowOom: z.boolean().default(false).meta({
        description:
          'Lets it take more than what is available less a reserve (5 % of the memory, at least 32MB), so that the OOM killer may act: it takes the processes of the fault first, and that ends the pressure. Default false.',
      }),
    })
    .refine(saysOneAmount, oneAmount);
export type MemoryPressureParameters = z.infer<ReturnType<typeof memoryPressureParameters>>;
