/**
 * The YAML language. This is its entry: an experiment file, read and checked against the registered faults. What it says about hosts
 * and SLOs is only checked against an environment (`cross-check.ts`). Connects to nothing.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Diagnostic, Parsed } from '../core/diagnostics.ts';
import { readSourceFile } from './files.ts';
import { wrongKind } from './kind.ts';
import { type Experiment, experimentSchema, type FaultRegistry } from './schema.ts';
import type { PlacedMistake, Source } from './source.ts';
import { parseSourced } from './yaml.ts';

export interface ExperimentFile {
  readonly experiment: Experiment;
  /** Absolute. */
  readonly file: string;
  /** Of the file. */
  readonly bytes: Uint8Array;
  /** For diagnostics about it, for example a fault's mistakes: `source.diagnostic({ path: ['method', 0, 'with', ...], ... })`. */
  readonly source: Source;
}

/**
 * Reads and checks an experiment file. `checkNames` looks at the raw data for names that must mean something elsewhere (`cross-check.ts`
 * of the environment). Throws `CHAOS_NOT_FOUND` when there is no such file.
 */
export function loadExperiment(
  file: string,
  faults: FaultRegistry,
  checkNames: (data: unknown) => readonly PlacedMistake[] = () => [],
): Parsed<ExperimentFile> {
  const read = readSourceFile(file);
  if (!read.ok) return read;
  const { text, bytes } = read.value;
  const parsed = parseSourced(text, file, (data) => experimentSchema(faultsNamed(data, faults)), {
    first: (data) => wrongKind(data, 'Experiment'),
    raw: checkNames,
  });
  if (!parsed.ok) return parsed;
  const { value: experiment, source } = parsed.value;
  const warnings = [...parsed.warnings, ...fileWarnings(experiment, file, source)];
  return { ok: true, value: { experiment, file: path.resolve(file), bytes, source }, warnings };
}

/** Building the schema of every fault for a file that names one is most of the work; one that names an unknown fault is told all there are. */
function faultsNamed(data: unknown, faults: FaultRegistry): FaultRegistry {
  const method: unknown = data !== null && typeof data === 'object' && 'method' in data ? data.method : undefined;
  const steps: unknown[] = Array.isArray(method) ? method : [];
  const named = steps.flatMap((step) => (step !== null && typeof step === 'object' && 'fault' in step ? [step.fault] : []));
  const known = named.flatMap((name) => (typeof name === 'string' ? (faults.get(name) ?? []) : []));
  return known.length === 0 || known.length < named.length ? faults : new Map(known.map((fault) => [fault.kind, fault]));
}

function fileWarnings(experiment: Experiment, file: string, source: Source): Diagnostic[] {
  const warnings: Diagnostic[] = [];
  const name = path.basename(file).replace(/\.ya?ml$/, '');
  if (name !== experiment.name) {
    const summary = `the experiment is named ${JSON.stringify(experiment.name)} but its file ${JSON.stringify(name)}`;
    warnings.push(
      source.diagnostic({
        severity: 'warning',
        code: 'name-mismatch',
        path: ['name'],
        summary,
        detail: 'experiments are found by the name of their file',
      }),
    );
  }
  const { runbook } = experiment;
  if (runbook !== undefined && !/^[a-z]+:\/\//.test(runbook) && !existsSync(path.resolve(path.dirname(file), runbook))) {
    warnings.push(
      source.diagnostic({
        severity: 'warning',
        code: 'missing-runbook',
        path: ['runbook'],
        summary: 'the runbook does not exist',
        detail: 'its path is relative to this file',
      }),
    );
  }
  return warnings;
}
