/** `chaos recover --sweep`: asks every host of an environment for fuses of any run, reverts what nobody holds, and proves it. */
import { describeError } from '../core/errors.ts';
import { formatDuration } from '../core/units.ts';
import type { Sessions } from '../engine/sessions.ts';
import type { SweptFuse } from '../faults/fuse/sweep.ts';
import { askEveryHost, type EnvironmentOptions } from './every-host.ts';
import type { Terminal } from './terminal.ts';

export interface SweepOptions extends EnvironmentOptions {
  readonly json?: boolean;
  readonly force?: boolean;
}

interface HostAnswer {
  readonly host: string;
  readonly fuses: readonly SweptFuse[];
  readonly residue: readonly string[];
  /** Why nothing is known about it. */
  readonly unknown?: string;
}

const perHostMs = 300_000;

export async function sweepCommand({
  terminal,
  options,
}: {
  readonly terminal: Terminal;
  readonly options: SweepOptions;
}): Promise<number> {
  const { answers } = await askEveryHost('--sweep', options, (sessions, host) => ask(sessions, host, options.force === true));
  if (options.json === true) terminal.json({ version: 1, hosts: answers });
  else for (const line of render(answers)) terminal.out(line);
  return answers.every(isClean) ? 0 : 6;
}

/** One host that cannot be asked must not keep the others from being swept. */
async function ask(sessions: Sessions, host: string, force: boolean): Promise<HostAnswer> {
  const signal = AbortSignal.timeout(perHostMs);
  try {
    const { sweepHost } = await import('../faults/fuse/sweep.ts');
    return { host, ...(await sweepHost(await sessions.host(host, signal), force, signal)) };
  } catch (error) {
    return { host, fuses: [], residue: [], unknown: describeError(error) };
  }
}

function isClean({ fuses, residue, unknown }: HostAnswer): boolean {
  return unknown === undefined && residue.length === 0 && fuses.every(({ became }) => became !== 'failed');
}

function render(answers: readonly HostAnswer[]): string[] {
  const lines = answers.flatMap(({ host, fuses, residue, unknown }) => [
    ...(unknown === undefined ? [] : [`${host}  UNKNOWN: ${unknown}`]),
    ...fuses.map((swept) => `${host}  ${describe(swept)}`),
    ...residue.map((line) => `${host}  RESIDUE without a fuse: ${line}`),
  ]);
  const count = (became: SweptFuse['became']): number =>
    answers.flatMap(({ fuses }) => fuses).filter((fuse) => fuse.became === became).length;
  const unknown = answers.filter((answer) => answer.unknown !== undefined).length;
  const summary = [
    `${answers.length - unknown} of ${answers.length} hosts asked`,
    `${count('clean')} reverted and removed`,
    `${count('live')} left to their runners`,
    `${count('failed')} failed`,
  ].join(', ');
  return [...lines, summary];
}

function describe({ fuse, became, detail }: SweptFuse): string {
  const age = fuse.ageS === undefined ? 'armed before the last restart' : `armed ${formatDuration(fuse.ageS * 1_000)} ago`;
  const what = `${fuse.about.fault ?? 'unknown fault'} of run ${fuse.run} (${fuse.state}, ${age})`;
  switch (became) {
    case 'live':
      return `${what}: left alone, ${detail}; --force reverts it`;
    case 'clean':
      return `${what}: ${detail}; checked and removed`;
    case 'failed':
      return `${what}: FAILED: ${detail}`;
  }
}
