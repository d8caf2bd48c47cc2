/** How much of something that fills up (memory, a file system) a fault takes. Exactly one of three ways to say it. */
import * as z from 'zod';
import { sizeBytes, sizeField } from './fields.ts';

const smallest = 1_024 ** 2;
const largest = 1_024 ** 5;

/** A size within bounds, in bytes; `words` says the bounds to people. */
export function boundedSize(bounds: { readonly min: number; readonly max: number; readonly words: string }): z.ZodString {
  const field = sizeField();
  return field.refine(
    (text) => {
      if (!field.safeParse(text).success) return true;
      const bytes = sizeBytes(text);
      return bytes >= bounds.min && bytes <= bounds.max;
    },
    { error: `expected a size from ${bounds.words}` },
  );
}

/** `whole`: what is filled, in words. */
export const amountFields = (whole: string) => ({
  percent: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .meta({ description: `How much of ${whole} is in use afterwards, 1 to 100 percent, what others use included.` }),
  size: boundedSize({ min: smallest, max: largest, words: '1MB to 1024TB' })
    .optional()
    .meta({ description: `How much of ${whole} is taken in addition, 1MB to 1024TB; 1 kB is 1024 bytes.`, examples: ['512MB'] }),
  leaveFree: boundedSize({ min: 0, max: largest, words: '0B to 1024TB' })
    .optional()
    .meta({ description: `How much of ${whole} is left free, 0B to 1024TB: all else is taken.`, examples: ['100MB'] }),
});

export interface Amount {
  readonly percent?: number | undefined;
  readonly size?: string | undefined;
  readonly leaveFree?: string | undefined;
}

export function saysOneAmount({ percent, size, leaveFree }: Amount): boolean {
  return [percent, size, leaveFree].filter((value) => value !== undefined).length === 1;
}

export const oneAmount = { error: 'expected exactly one of percent, size and leaveFree' } as const;

/**
 * Shell functions for the arithmetic of sizes in kB. awk does it: the integers of some shells (mksh) end at 2^31, which is 2 TB.
 * `calc EXPRESSION` prints a whole number; `is EXPRESSION` tells whether it holds; `mb KB` prints it in MB.
 */
export const arithmetic = `calc() { awk "BEGIN { printf \\"%.0f\\", $* }"; }
is() { awk "BEGIN { exit !($*) }"; }
mb() { calc "int($1 / 1024)"; }
`;

/** Sets `take` (kB, may be negative) from `total` and `avail` (kB). */
export function takeText({ percent, size, leaveFree }: Amount): string {
  const take =
    percent !== undefined
      ? `$total * ${percent} / 100 - ($total - $avail)`
      : size !== undefined
        ? inKb(size)
        : `$avail - ${inKb(leaveFree ?? '0B')}`;
  return `take=$(calc "int(${take})")`;
}

/** `asked`: what people wrote, for messages on targets. */
export function amountInWords({ percent, size, leaveFree }: Amount): string {
  if (percent !== undefined) return `${percent} % in use`;
  return size === undefined ? `${leaveFree} left free` : `${size} more`;
}

function inKb(size: string): string {
  return String(Math.floor(sizeBytes(size) / 1_024));
}
