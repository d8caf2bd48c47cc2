/** What a command works on: the project folder, its files, its runs. */
import { join, resolve } from 'node:path';
import { loadEnvironment } from '../environment/load.ts';
import { type EnvironmentModel, resolveEnvironment } from '../environment/resolve.ts';
import { type ExperimentFile, loadExperiment } from '../experiment/load.ts';
import { findProjectRoot, isPath, resolveEnvironmentFile, resolveExperimentFile } from '../experiment/project.ts';
import type { PlacedMistake } from '../experiment/source.ts';
import { faultRegistry } from '../faults/registry.ts';
import { probeRegistry } from '../probes/registry.ts';
import { orThrow } from './mistakes.ts';

export interface ProjectOptions {
  readonly project?: string;
  readonly reports?: string;
}

/** The project's root: `--project`, else the nearest folder with `experiments/` from here up. */
export function projectRoot(options: ProjectOptions): string {
  return findProjectRoot(options.project ?? process.cwd());
}

/** Where run folders are. */
export function reportsFolder(options: ProjectOptions): string {
  return options.reports === undefined ? join(projectRoot(options), 'reports') : resolve(options.reports);
}

/** Throws `FileMistakes` with everything that is wrong, or `CHAOS_NOT_FOUND`. `checkNames` as for `loadExperiment`. */
export function openExperiment(
  name: string,
  options: ProjectOptions,
  checkNames?: (data: unknown) => readonly PlacedMistake[],
): ExperimentFile {
  return orThrow(loadExperiment(resolveExperimentFile(isPath(name) ? '' : projectRoot(options), name), faultRegistry, checkNames));
}

export function openEnvironment(name: string, options: ProjectOptions): EnvironmentModel {
  return openEnvironmentFile(resolveEnvironmentFile(isPath(name) ? '' : projectRoot(options), name));
}

export function openEnvironmentFile(file: string): EnvironmentModel {
  return resolveEnvironment(orThrow(loadEnvironment(file, probeRegistry)));
}
