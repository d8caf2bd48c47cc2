/**
 * Fields that several faults' parameters share. They stay strings after parsing, so that parsing a plan's parameters again changes
 * nothing; code that needs the number asks `durationMs` or `sizeBytes`.
 */
import * as z from 'zod';
import { formatDuration, type Milliseconds, parseDuration } from '../core/units.ts';

const durationText = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const sizeText = /^\d+(?:\.\d+)?(?:B|kB|MB|GB|TB)$/;
const sizeUnits = { B: 1, kB: 1_024, MB: 1_024 ** 2, GB: 1_024 ** 3, TB: 1_024 ** 4 } as const;

/** A duration string with a unit, within bounds in milliseconds. */
export function durationField(bounds: { readonly min: number; readonly max: number }): z.ZodString {
  const explain = (got: unknown): string => {
    const text =
      typeof got === 'number' || (typeof got === 'string' && /^\d+(\.\d+)?$/.test(got)) ? `: a unit is missing; did you mean ${got}s?` : '';
    return `expected a duration such as 30s, got ${JSON.stringify(got)}${text}`;
  };
  return z
    .string({ error: (issue) => explain(issue.input) })
    .regex(durationText, { error: (issue) => explain(issue.input) })
    .refine(
      (text) => {
        const ms = parseDuration(text);
        return ms === undefined || (ms >= bounds.min && ms <= bounds.max);
      },
      { error: `expected a duration from ${formatDuration(bounds.min)} to ${formatDuration(bounds.max)}` },
    );
}

/** An amount of data as PostgreSQL writes it: `512kB`, `16MB`; 1 kB is 1024 bytes. */
export function sizeField(): z.ZodString {
  return z.string().regex(sizeText, { error: (issue) => `expected a size such as 16MB, got ${JSON.stringify(issue.input)}` });
}

/** The milliseconds of a field that {@link durationField} has checked. */
export function durationMs(text: string): Milliseconds {
  const ms = parseDuration(text);
  if (ms === undefined) throw new RangeError(`not a duration: ${JSON.stringify(text)}`);
  return ms;
}

/** The bytes of a field that {@link sizeField} has checked. */
export function sizeBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(B|kB|MB|GB|TB)$/.exec(text);
  if (match === null) throw new RangeError(`not a size: ${JSON.stringify(text)}`);
  return Number(match[1]) * sizeUnits[match[2] as keyof typeof sizeUnits];
}

/**
 * Shell text written by people. `@name@` would be taken for a value that the runner fills in; only `@run@` (the run's id) is known
 * everywhere, so any other is a mistake here instead of a failure in the middle of a run.
 */
export function shellField(): z.ZodString {
  return z
    .string()
    .min(1, { error: 'expected a shell command, got an empty text' })
    .refine((text) => text.trim() !== '' || text === '', { error: 'expected a shell command, got only white space' })
    .refine((text) => !text.includes('\0'), { error: 'a shell command cannot hold a NUL character' })
    .refine((text) => [...text.matchAll(/@([a-z][a-z0-9-]*)@/g)].every(([, name]) => name === 'run'), {
      error: '@…@ stands for a value the runner fills in; only @run@ (the id of the run) can be used here',
    });
}
