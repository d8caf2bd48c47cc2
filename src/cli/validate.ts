/** `chaos validate`: checks files and reports every mistake at once. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import type { Diagnostic, Parsed } from '../core/diagnostics.ts';
import { plural } from '../core/text.ts';
import { loadExperiment } from '../experiment/load.ts';
import { findProjectRoot, isPath, listEnvironments, listExperiments, resolveExperimentFile } from '../experiment/project.ts';
import { faultRegistry } from '../faults/registry.ts';
import { diagnosticsJson, renderDiagnostics } from '../views/diagnostics.ts';
import { exitUsage } from './exit-codes.ts';
import type { ProjectOptions } from './project.ts';
import type { Terminal } from './terminal.ts';

interface Context {
  readonly terminal: Terminal;
  readonly options: ProjectOptions & { readonly json?: boolean };
}

export async function validateCommand(names: readonly string[], { terminal, options }: Context): Promise<number> {
  const files = filesNamed(names, options);
  const diagnostics: Diagnostic[] = [];
  for (const file of files) diagnostics.push(...(await check(file)));
  const failed = diagnostics.some((diagnostic) => diagnostic.severity === 'error');
  if (options.json === true) terminal.json(diagnosticsJson(diagnostics));
  else {
    if (diagnostics.length > 0) terminal.err(renderDiagnostics(diagnostics, { color: terminal.color }));
    if (!failed)
      terminal.err(`${plural(files.length, 'file')} valid: ${files.map((file) => relative(process.cwd(), file) || file).join(', ')}`);
  }
  return failed ? exitUsage : 0;
}

/** All files of the project when none is named. Not through `project.ts`, which brings the code of environments along. */
function filesNamed(names: readonly string[], options: ProjectOptions): string[] {
  const root = (): string => findProjectRoot(options.project ?? process.cwd());
  if (names.length > 0) return names.map((name) => resolveExperimentFile(isPath(name) ? '' : root(), name));
  const found = root();
  return [...listExperiments(found), ...listEnvironments(found)].map(({ file }) => file);
}

async function check(file: string): Promise<readonly Diagnostic[]> {
  const parsed = isEnvironment(file) ? await checkEnvironment(file) : loadExperiment(file, faultRegistry);
  return parsed.ok ? parsed.warnings : parsed.diagnostics;
}

/** Its code and the probes' are loaded only when there is an environment to check: see DECISIONS.md. */
async function checkEnvironment(file: string): Promise<Parsed<unknown>> {
  const [{ loadEnvironment }, { probeRegistry }] = await Promise.all([import('../environment/load.ts'), import('../probes/registry.ts')]);
  return loadEnvironment(file, probeRegistry);
}

/** By what the file says of itself; what says nothing is taken for an experiment and told what it lacks. */
function isEnvironment(file: string): boolean {
  try {
    return /^kind:\s*["']?Environment\b/m.test(readFileSync(file, 'utf8'));
  } catch {
    return false;
  }
}
