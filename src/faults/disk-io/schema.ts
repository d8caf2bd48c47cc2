import * as z from 'zod';
import { boundedSize } from '../amount.ts';
import { folderField } from '../disk/schema.ts';
import { sizeBytes } from '../fields.ts';

/** Direct I/O wants whole pages. */
const pageBytes = 4_096;

export const diskIoParameters = () =>
  z
    .strictObject({
      path: folderField(),
      load: z.enum(['read', 'write', 'both']).default('both').meta({
        description: 'Whether each worker reads, writes, or does both in turn. Default both. Reading begins once its part is written.',
      }),
      workers: z.int().min(1).max(64).default(2).meta({ description: 'How many work at the same time, 1 to 64. Default 2.' }),
      size: boundedSize({ min: 1_024 ** 2, max: 64 * 1_024 ** 3, words: '1MB to 64GB' })
        .default('128MB')
        .meta({ description: 'What each worker goes through again and again, 1MB to 64GB of the space of the disk. Default 128MB.' }),
      blockSize: boundedSize({ min: pageBytes, max: 16 * 1_024 ** 2, words: '4kB to 16MB' })
        .default('1MB')
        .meta({
          description: 'How much is read or written at a time, 4kB to 16MB in whole 4 kB; small blocks mean many operations. Default 1MB.',
        }),
    })
    .refine(({ blockSize }) => sizeOf(blockSize) % pageBytes === 0, { error: 'expected a multiple of 4kB', path: ['blockSize'] })
    .refine(({ blockSize, size }) => sizeOf(blockSize) <= sizeOf(size), { error: 'expected no more than size', path: ['blockSize'] });
export type DiskIoParameters = z.infer<ReturnType<typeof diskIoParameters>>;

/** Other mistakes are told by the fields themselves. */
function sizeOf(text: string): number {
  return boundedSize({ min: 0, max: Number.MAX_VALUE, words: '' }).safeParse(text).success ? sizeBytes(text) : 0;
}
