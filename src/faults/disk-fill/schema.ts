import * as z from 'zod';
import { amountFields, oneAmount, saysOneAmount } from '../amount.ts';
import { folderField } from '../disk/schema.ts';

export const diskFillParameters = () =>
  z
    .strictObject({
      path: folderField(),
      ...amountFields('the file system of `path`'),
      how: z.enum(['allocate', 'write']).default('allocate').meta({
        description:
          '`allocate`: at once, with fallocate; written with zeros where the file system cannot. `write`: always written, which loads the disk too and takes its time. Default allocate.',
      }),
    })
    .refine(saysOneAmount, oneAmount);
export type DiskFillParameters = z.infer<ReturnType<typeof diskFillParameters>>;
