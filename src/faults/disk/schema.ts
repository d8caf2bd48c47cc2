/** Where a disk fault acts. */
import * as z from 'zod';

export const folderField = () =>
  z
    .string()
    .max(1_000)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point
    .regex(/^\/[^\u0000-\u001f\u007f]*$/, {
      error: (issue) => `expected an absolute path such as /var/lib/app, got ${JSON.stringify(issue.input)}`,
    })
    .refine((text) => !/@[a-z][a-z0-9-]*@/.test(text), { error: '@…@ stands for a value the runner fills in and cannot be part of a path' })
    .meta({
      description:
        'Absolute path of a folder that exists on the target. The fault makes one file in it, named chaos- and an id, and nothing else.',
      examples: ['/var/lib/app'],
    });
