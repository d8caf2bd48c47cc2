import * as z from 'zod';
import { sizeField } from '../fields.ts';

export const memoryPressureParameters = () =>
  z
    .strictObject({
      percent: z
        .int()
        .min(1)
        .max(100)
        .optional()
        .meta({ description: 'Until this much of the memory is not available, 1 to 100 percent. One of percent, size and leaveFree.' }),
      size: sizeField()
        .optional()
        .meta({ description: 'This much more is used. One of percent, size and leaveFree.', examples: ['512MB'] }),
      leaveFree: sizeField()
        .optional()
        .meta({ description: 'Until only this much is available. One of percent, size and leaveFree.', examples: ['100MB'] }),
      allowOom: z.boolean().default(false).meta({
        description: 'Go below 64MB of available memory, where the kernel starts to kill; it takes the burner first. Default false.',
      }),
    })
    .refine(({ percent, size, leaveFree }) => [percent, size, leaveFree].filter((one) => one !== undefined).length === 1, {
      error: 'expected exactly one of percent, size and leaveFree',
    });
export type MemoryPressureParameters = z.infer<ReturnType<typeof memoryPressureParameters>>;
