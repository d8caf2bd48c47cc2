import * as z from 'zod';
import { sizeField } from '../fields.ts';

export const diskFillParameters = () =>
  z
    .strictObject({
      path: z
        .string()
        .regex(/^\/[^\0\n@]*$/, { error: 'expected the absolute path of a folder, without @ or line ends' })
        .meta({ description: 'A folder of the file system that is filled.', examples: ['/var/lib/app'] }),
      percent: z
        .int()
        .min(1)
        .max(100)
        .optional()
        .meta({ description: 'Until this much of the file system is used, 1 to 100 percent. One of percent, size and leaveFree.' }),
      size: sizeField()
        .optional()
        .meta({ description: 'The size of the file. One of percent, size and leaveFree.', examples: ['512MB'] }),
      leaveFree: sizeField()
        .optional()
        .meta({ description: 'Until only this much is available. One of percent, size and leaveFree.', examples: ['100MB'] }),
    })
    .refine(({ percent, size, leaveFree }) => [percent, size, leaveFree].filter((one) => one !== undefined).length === 1, {
      error: 'expected exactly one of percent, size and leaveFree',
    });
export type DiskFillParameters = z.infer<ReturnType<typeof diskFillParameters>>;
