/** Where a plan or a run takes place: a named environment, or the embedded lab, found or started for the purpose. */

import { ChaosError } from '../core/errors.ts';
import { crossCheck } from '../environment/cross-check.ts';
import { parseEnvironment } from '../environment/load.ts';
import type { EnvironmentModel } from '../environment/resolve.ts';
import { resolveEnvironment } from '../environment/resolve.ts';
import type { ExperimentFile } from '../experiment/load.ts';
import type { LabInfo } from '../lab/lab.ts';
import { probeRegistry } from '../probes/registry.ts';
import { FileMistakes, orThrow } from './mistakes.ts';
import { openEnvironment, openEnvironmentFile, openExperiment, type ProjectOptions } from './project.ts';
import type { Terminal } from './terminal.ts';

export interface GroundOptions extends ProjectOptions {
  readonly env?: string;
  readonly lab?: string;
  readonly keepLab?: boolean;
}

export interface Ground extends AsyncDisposable {
  readonly environment: EnvironmentModel;
  /** `owned`: it was started for this command and goes with it. */
  readonly lab?: { readonly id: string; readonly owned: boolean };
}

/** How long a lab outlives a runner that was killed, so that `chaos recover` finds it. */
export const labLingerMs = 10 * 60_000;

export interface Work {
  readonly file: ExperimentFile;
  /** The named environment, or the shape that every lab has. */
  readonly environment: EnvironmentModel;
}

/** Reads the experiment against its environment before anything is started there. Throws `FileMistakes` with those of both files. */
export async function openWork(name: string, options: GroundOptions): Promise<Work> {
  if (options.env !== undefined && options.lab !== undefined) throw new ChaosError('CHAOS_USAGE', '--env and --lab exclude each other');
  let environment: EnvironmentModel;
  try {
    environment = options.env === undefined ? await anyLab() : openEnvironment(options.env, options);
  } catch (error) {
    if (error instanceof FileMistakes) throw withThoseOf(name, options, error);
    throw error;
  }
  return { file: openExperiment(name, options, (data) => crossCheck(data, environment)), environment };
}

async function anyLab(): Promise<EnvironmentModel> {
  const { environmentShape } = await import('../lab/lab-files.ts');
  return resolveEnvironment(orThrow(parseEnvironment(environmentShape(), 'lab.yaml', probeRegistry)));
}

function withThoseOf(name: string, options: GroundOptions, mistakes: FileMistakes): FileMistakes {
  try {
    openExperiment(name, options);
    return mistakes;
  } catch (error) {
    return error instanceof FileMistakes ? new FileMistakes([...mistakes.diagnostics, ...error.diagnostics]) : mistakes;
  }
}

/** Opens the place: the named environment, a lab that is up, or one started for the purpose. */
export async function openGround({ environment }: Work, options: GroundOptions, terminal: Terminal, signal: AbortSignal): Promise<Ground> {
  if (options.env !== undefined) {
    const { reachAsSsh } = await import('../environment/ssh-config.ts');
    return { environment: await reachAsSsh(environment, signal), [Symbol.asyncDispose]: async () => undefined };
  }
  const running = await runningLab(options.lab);
  if (running !== undefined) {
    terminal.err(`using the lab ${running.id} that is up`);
    return {
      environment: openEnvironmentFile(running.environmentFile),
      lab: { id: running.id, owned: false },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }
  return startOwnLab(options, terminal, signal);
}

async function runningLab(id: string | undefined): Promise<LabInfo | undefined> {
  const { findLab, listLabs } = await import('../lab/lab.ts');
  if (id !== undefined) return findLab(id);
  const free = (await listLabs()).filter((lab) => lab.state === 'up' && lab.ownerPid === undefined);
  if (free.length <= 1) return free[0];
  throw new ChaosError('CHAOS_LAB', `several labs are up: ${free.map((lab) => lab.id).join(', ')}`, { hint: 'choose one with --lab ID' });
}

async function startOwnLab(options: GroundOptions, terminal: Terminal, signal: AbortSignal): Promise<Ground> {
  const [{ startLab }, { stopLab }, { adoptLab, listLabs }] = await Promise.all([
    import('../lab/start.ts'),
    import('../lab/stop.ts'),
    import('../lab/lab.ts'),
  ]);
  const started = performance.now();
  terminal.err('starting the lab: a shop with a replicated PostgreSQL on loopback');
  const lab = await startLab({ owner: { pid: process.pid, lingerMs: labLingerMs } }, signal);
  terminal.err(`lab ${lab.id} is up after ${((performance.now() - started) / 1_000).toFixed(1)} s (PostgreSQL ${lab.postgresVersion})`);
  return {
    environment: openEnvironmentFile(lab.environmentFile),
    lab: { id: lab.id, owned: true },
    async [Symbol.asyncDispose]() {
      if (options.keepLab === true) {
        await adoptLab(lab.id);
        terminal.err(`lab ${lab.id} stays up; chaos lab down ${lab.id} stops it`);
        return;
      }
      // Someone may have taken it down meanwhile.
      if ((await listLabs()).some(({ id }) => id === lab.id)) await stopLab(lab.id, AbortSignal.timeout(60_000));
      terminal.err(`lab ${lab.id} is down`);
    },
  };
}
