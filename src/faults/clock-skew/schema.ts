import * as z from 'zod';
import { formatDuration, parseDuration } from '../../core/units.ts';

const offsetText = /^[+-](?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const [leastMs, mostMs] = [1_000, 365 * 86_400_000];

/** The milliseconds of an offset that the schema has checked; below zero when the clock is set back. */
export function offsetMs(text: string): number {
  const size = parseDuration(text.slice(1)) ?? Number.NaN;
  return text.startsWith('-') ? -size : size;
}

function explain(got: unknown): string {
  const said = `expected how far the clock is set, such as +5m or -30s, got ${JSON.stringify(got)}`;
  return typeof got === 'string' && parseDuration(got) !== undefined ? `${said}: a sign is missing; did you mean +${got}?` : said;
}

export const clockSkewParameters = () =>
  z.strictObject({
    offset: z
      .string({ error: (issue) => explain(issue.input) })
      .regex(offsetText, { error: (issue) => explain(issue.input) })
      .refine((text) => !offsetText.test(text) || (Math.abs(offsetMs(text)) >= leastMs && Math.abs(offsetMs(text)) <= mostMs), {
        error: `expected an offset of ${formatDuration(leastMs)} to 365 days`,
      })
      .refine((text) => !offsetText.test(text) || offsetMs(text) % 1_000 === 0, { error: 'expected whole seconds' })
      .meta({
        description: 'How far the clock is set: `+5m` into the future, `-30s` into the past; whole seconds, 1s to 365d either way.',
      }),
  });
export type ClockSkewParameters = z.infer<ReturnType<typeof clockSkewParameters>>;
