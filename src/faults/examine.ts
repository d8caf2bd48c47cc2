/** What a host is and has, found out by one text that changes nothing. */

import { cleanText } from '../core/text.ts';
import type { Milliseconds } from '../core/units.ts';
import type { HostSession } from '../drivers/contract.ts';
import type { HostNeed } from './contract.ts';
import { hostNeeds } from './needs.ts';

export interface Examination {
  /** As /etc/os-release says; `unknown` where there is none. */
  readonly os: string;
  readonly kernel: string;
  readonly init: string;
  /** Was it asked as root? */
  readonly root: boolean;
  /** How far the host's clock is before (+) or behind (-) ours, ms, and how exactly that is known. */
  readonly clock: { readonly offsetMs: number; readonly withinMs: number };
  /** Free on the file system where the fuse keeps its state, bytes. */
  readonly freeBytes: number;
  /** `stress-ng`, where it is installed: faults then use it. */
  readonly stressNg: boolean;
  /** Why a need is not met; one that is met is not in here, nor one that nobody can tell without root. */
  readonly lacks: Readonly<Partial<Record<HostNeed, string>>>;
  /** Needs that nobody can tell without root. */
  readonly untold: readonly HostNeed[];
}

/** Why nothing can be said: sudo refuses, the shell is not POSIX, the answer did not come. */
export class NotExamined extends Error {
  override readonly name = 'NotExamined';
}

const marker = 'chaos-examined';

const text = `set -u
export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
have() { command -v "$1" >/dev/null 2>&1; }
said() { printf '%s %s\\n' "$1" "$(printf '%s' "$2" | tr '\\n\\t' '  ')"; }
said now "$(date +%s.%N)"
said root "$(id -u)"
said os "$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null | tr -d '"' | head -n 1)"
said kernel "$(uname -s) $(uname -r)"
init=$(cat /proc/1/comm 2>/dev/null)
[ ! -d /run/systemd/system ] || init=systemd
[ ! -d /run/openrc ] || init=openrc
said init "$init"
base=$HOME; [ "$(id -u)" != 0 ] || base=/var/lib
said free "$(df -Pk "$base" 2>/dev/null | awk 'NR == 2 { printf "%.0f", $4 }')"
have stress-ng && said stress yes
${Object.entries(hostNeeds)
  .map(([need, { check }]) => `why=$(\n${check}\n)\nsaid "need ${need} $?" "$why"`)
  .join('\n')}
echo ${marker}`;

/** Rejects with {@link NotExamined}. `now` is our own clock, ms since 1970. */
export async function examine(
  session: HostSession,
  options: { readonly now: () => number; readonly timeout: Milliseconds },
  signal: AbortSignal,
): Promise<Examination> {
  const before = options.now();
  const result = await session.run({ command: text, timeout: options.timeout, privileged: true }, signal);
  const took = options.now() - before;
  if (result.ended !== 'exited') throw new NotExamined(result.lostBecause ?? `no answer: ${result.ended}`);
  const lines = cleanText(result.stdout).split('\n');
  if (!lines.includes(marker)) {
    const last = result.stderr.trim().split('\n').at(-1) ?? '';
    throw new NotExamined(last === '' ? 'its shell did not carry out the questions: is it a POSIX shell?' : last);
  }
  return read(lines, before, took);
}

function read(lines: readonly string[], before: number, took: number): Examination {
  const value = (key: string): string =>
    lines
      .find((line) => line.startsWith(`${key} `))
      ?.slice(key.length + 1)
      .trim() ?? '';
  const answers = lines.flatMap((line) => {
    const match = /^need (\w+) (\d+) (.*)$/.exec(line);
    return match === null ? [] : [{ need: match[1] as HostNeed, code: Number(match[2]), why: (match[3] ?? '').trim() }];
  });
  // Without fractions of a second (busybox) it lies anywhere in that second.
  const [seconds = '0', fraction = ''] = value('now').split('.');
  const exact = /^\d+$/.test(fraction);
  const theirs = (Number(seconds) + (exact ? Number(`0.${fraction}`) : 0.5)) * 1_000;
  return {
    os: value('os') || 'unknown',
    kernel: value('kernel'),
    init: value('init') || 'unknown',
    root: value('root') === '0',
    clock: { offsetMs: Math.round(theirs - (before + took / 2)), withinMs: Math.ceil(took / 2) + (exact ? 0 : 500) },
    freeBytes: Number(value('free')) * 1_024,
    stressNg: value('stress') === 'yes',
    lacks: Object.fromEntries(answers.filter(({ code }) => code !== 0 && code !== 3).map(({ need, why }) => [need, why])),
    untold: answers.filter(({ code }) => code === 3).map(({ need }) => need),
  };
}
