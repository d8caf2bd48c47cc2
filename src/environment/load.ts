/**
 * An environment file: hosts, databases, probes, SLOs and guards of one place, read, checked and made ready for a plan. Knows the
 * language and the probes' schemas; connects to nothing and looks no secret up.
 */
import path from 'node:path';
import type { Diagnostic, Parsed } from '../core/diagnostics.ts';
import { nearest } from '../core/text.ts';
import { readSourceFile } from '../experiment/files.ts';
import { wrongKind } from '../experiment/kind.ts';
import type { Source } from '../experiment/source.ts';
import { parseSourced } from '../experiment/yaml.ts';
import { referenceMistakes } from './references.ts';
import { type Environment, environmentSchema, type ProbeRegistry } from './schema.ts';

export interface EnvironmentFile {
  readonly environment: Environment;
  /** Absolute. */
  readonly file: string;
  /** For diagnostics about it. */
  readonly source: Source;
}

/** Reads and checks an environment file. Throws `CHAOS_NOT_FOUND` when there is none. */
export function loadEnvironment(file: string, probes: ProbeRegistry): Parsed<EnvironmentFile> {
  const read = readSourceFile(file);
  return read.ok ? parseEnvironment(read.value.text, file, probes) : read;
}

/** As {@link loadEnvironment}, from text; `file` gives the folder that paths are relative to. */
export function parseEnvironment(text: string, file: string, probes: ProbeRegistry): Parsed<EnvironmentFile> {
  const parsed = parseSourced(text, file, environmentSchema(probes, path.dirname(path.resolve(file))), {
    raw: referenceMistakes,
    first: (data) => wrongKind(data, 'Environment'),
  });
  if (!parsed.ok) return parsed;
  const { value: environment, source } = parsed.value;
  const warnings = [...parsed.warnings, ...strayProtections(environment, source)];
  return { ok: true, value: { environment, file: path.resolve(file), source }, warnings };
}

/** Protecting a host that is not in the file is fine; protecting a misspelt one protects nothing. */
function strayProtections(environment: Environment, source: Source): Diagnostic[] {
  const hosts = Object.keys(environment.hosts);
  return environment.guards.protected.flatMap((name, index) => {
    const near = hosts.includes(name) ? undefined : nearest(name, hosts);
    if (near === undefined) return [];
    const summary = `${JSON.stringify(name)} is protected but no host has this name`;
    return [
      source.diagnostic({
        severity: 'warning',
        code: 'unknown-host',
        path: ['guards', 'protected', index],
        summary,
        detail: `did you mean ${JSON.stringify(near)}?`,
      }),
    ];
  });
}
