/** `chaos doctor`: asks every host of an environment, in parallel, whether faults can run there, and says what is missing. */
import { ChaosError, describeError } from '../core/errors.ts';
import { milliseconds } from '../core/units.ts';
import type { Sessions } from '../engine/sessions.ts';
import type { HostNeed } from '../faults/contract.ts';
import { type Examination, examine } from '../faults/examine.ts';
import { hostNeeds } from '../faults/needs.ts';
import { faultRegistry } from '../faults/registry.ts';
import { type DoctorHost, type Lack, renderDoctor } from '../views/doctor-view.ts';
import { askEveryHost, type EnvironmentOptions } from './every-host.ts';
import type { Terminal } from './terminal.ts';
import { clock } from './wire.ts';

export interface DoctorOptions extends EnvironmentOptions {
  readonly json?: boolean;
}

const perHostMs = 45_000;
const answerWithin = milliseconds(30_000);
/** With more the timeline of a report would tell what comes first wrongly. */
const clockToleranceMs = 1_000;

/** The exit code: 0 when every host can be reached and can carry a fuse, as root where that was asked for; else 3. */
export async function doctorCommand({
  terminal,
  options,
}: {
  readonly terminal: Terminal;
  readonly options: DoctorOptions;
}): Promise<number> {
  const { environment, answers: hosts } = await askEveryHost('doctor', options, ask);
  if (options.json === true) terminal.json({ version: 1, environment, hosts });
  else for (const line of renderDoctor(hosts, lacksOf(hosts), { color: terminal.color })) terminal.out(line);
  return hosts.every(({ problems }) => problems.length === 0) ? 0 : 3;
}

interface Asked extends DoctorHost {
  readonly examination?: Examination;
}

async function ask(sessions: Sessions, host: string): Promise<Asked> {
  const signal = AbortSignal.timeout(perHostMs);
  let connected = false;
  try {
    const session = await sessions.host(host, signal);
    connected = true;
    const examination = await examine(session, { now: () => clock.wall(), timeout: answerWithin }, signal);
    return { host, connected, examination, problems: problemsOf(examination), lacking: lackingOf(examination) };
  } catch (error) {
    const hint = error instanceof ChaosError && error.hint !== undefined ? `; ${error.hint}` : '';
    return { host, connected, problems: [`${describeError(error)}${hint}`], lacking: [] };
  }
}

function problemsOf({ lacks, clock: { offsetMs, withinMs } }: Examination): string[] {
  const off = Math.abs(offsetMs) - withinMs;
  return [
    ...(lacks.fuse === undefined ? [] : [`no fuse can be armed: ${lacks.fuse}; ${hostNeeds.fuse.remedy}`]),
    ...(off > clockToleranceMs
      ? [`its clock is ${(offsetMs / 1_000).toFixed(1)} s off ours, and reports would put events in the wrong order: synchronise both`]
      : []),
  ];
}

/** Faults that cannot run there, by name. */
function lackingOf({ lacks }: Examination): string[] {
  return [...faultRegistry].filter(([, { needs }]) => needs.some((need) => lacks[need] !== undefined)).map(([kind]) => kind);
}

/** What is missing somewhere, once each, with the hosts, what that disables, and what brings it. */
function lacksOf(hosts: readonly Asked[]): Lack[] {
  return (Object.keys(hostNeeds) as HostNeed[]).flatMap((need) => {
    const missing = hosts.filter(({ examination }) => examination?.lacks[need] !== undefined);
    if (missing.length === 0 || need === 'fuse') return [];
    const disables = [...faultRegistry].filter(([, { needs }]) => needs.includes(need)).map(([kind]) => kind);
    const reasons = [...new Set(missing.map(({ examination }) => examination?.lacks[need] ?? ''))];
    const { name, remedy } = hostNeeds[need];
    return [{ name, hosts: missing.map(({ host }) => host), reasons, disables, remedy }];
  });
}
