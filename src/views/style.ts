/** Colour, decided once: a flag, then NO_COLOR and FORCE_COLOR, then whether it is a terminal. Views ask for meanings, not colours. */
import { styleText } from 'node:util';
import type { Tone } from '../journal/fold-words.ts';

export interface ColorChoice {
  /** `--color` / `--no-color`; it beats everything. */
  readonly flag?: boolean | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly isTTY: boolean;
}

/** https://no-color.org: present and not empty means no colour. FORCE_COLOR: `0` and `false` mean none, all else means colour. */
export function wantsColor({ flag, environment, isTTY }: ColorChoice): boolean {
  if (flag !== undefined) return flag;
  if ((environment.NO_COLOR ?? '') !== '') return false;
  const force = environment.FORCE_COLOR;
  if (force !== undefined) return force !== '0' && force !== 'false';
  return isTTY && environment.TERM !== 'dumb';
}

export type Meaning = Tone | 'title' | 'change' | 'emphasis';

export type Style = (meaning: Meaning, text: string) => string;

type Format = Parameters<typeof styleText>[0];

const formats: Readonly<Record<Meaning, Format | undefined>> = {
  muted: 'dim',
  info: undefined,
  good: 'green',
  warning: 'yellow',
  bad: ['red', 'bold'],
  title: 'bold',
  change: 'magenta',
  emphasis: 'bold',
};

export function styleFor(color: boolean): Style {
  if (!color) return (_meaning, text) => text;
  return (meaning, text) => {
    const format = formats[meaning];
    // Newer Nodes would otherwise look at stdout once more and decide for themselves.
    return format === undefined || text === '' ? text : styleText(format, text, { validateStream: false });
  };
}
