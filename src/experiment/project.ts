/** Where experiments and environments lie: the nearest folder, here or above, that has `experiments/`. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { ChaosError } from '../core/errors.ts';
import { didYouMean } from './explain.ts';
import { displayPath } from './files.ts';

export interface NamedFile {
  /** The file's name without its ending. */
  readonly name: string;
  /** Absolute. */
  readonly file: string;
}

const ending = /\.ya?ml$/;

/** The project that `from` is in. Throws `CHAOS_NO_PROJECT`. */
export function findProjectRoot(from: string): string {
  for (let folder = path.resolve(from); ; folder = path.dirname(folder)) {
    if (isFolder(path.join(folder, 'experiments'))) return folder;
    if (folder === path.dirname(folder)) break;
  }
  throw new ChaosError('CHAOS_NO_PROJECT', `no folder with experiments/ in ${displayPath(from)} or above`, { hint: 'chaos init' });
}

/** The experiments of a project, by name. */
export function listExperiments(root: string): NamedFile[] {
  return filesIn(path.join(root, 'experiments'));
}

/** The environments of a project, by name. */
export function listEnvironments(root: string): NamedFile[] {
  return filesIn(path.join(root, 'experiments', 'environments'));
}

/** A name means a file of the project; anything with a slash or a YAML ending is a path. Throws `CHAOS_NOT_FOUND`. */
export function resolveExperimentFile(root: string, nameOrPath: string): string {
  return resolveFile('experiment', nameOrPath, () => listExperiments(root));
}

/** As {@link resolveExperimentFile}, for `experiments/environments/NAME.yaml`. */
export function resolveEnvironmentFile(root: string, nameOrPath: string): string {
  return resolveFile('environment', nameOrPath, () => listEnvironments(root));
}

/** Must this be taken as a path, so that no project is needed? */
export function isPath(nameOrPath: string): boolean {
  return nameOrPath.includes('/') || ending.test(nameOrPath);
}

function resolveFile(what: string, nameOrPath: string, list: () => NamedFile[]): string {
  if (isPath(nameOrPath)) {
    const file = path.resolve(nameOrPath);
    if (existsSync(file)) return file;
    throw new ChaosError('CHAOS_NOT_FOUND', `${displayPath(file)} does not exist`);
  }
  const files = list();
  const found = files.find(({ name }) => name === nameOrPath);
  if (found !== undefined) return found.file;
  const names = files.map(({ name }) => name);
  const hint = didYouMean(nameOrPath, names, 'there are') ?? `the project has no ${what}s yet`;
  throw new ChaosError('CHAOS_NOT_FOUND', `no ${what} named ${JSON.stringify(nameOrPath)}`, { hint });
}

function filesIn(folder: string): NamedFile[] {
  if (!isFolder(folder)) return [];
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && ending.test(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => ({ name: entry.name.replace(ending, ''), file: path.join(folder, entry.name) }));
  // Of NAME.yaml and NAME.yml the first counts; sorted by bytes so that every machine lists alike.
  const byName = new Map([...files].sort((a, b) => (a.file < b.file ? 1 : -1)).map((one) => [one.name, one]));
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isFolder(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
}
