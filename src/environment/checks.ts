// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
/** Rules between the fields of an environment: names that must exist, units and levels that must fit. */
import { assertNever } from '../core/assert-never.ts';
import { type Comparison, formatQuantity, type Unit } from '../core/units.ts';
import { didYouMean } from '../experiment/explain.ts';
import type { Environment, ProbeRegistry } from './schema.ts';

export interface FieldMistake {
  readonly code: string;
  readonly path: readonly (string | number)[];
  /** The first line is the summary, further lines the help. */
  readonly message: string;
}

type Slo = Environment['slos'][string];

export function checkEnvironment(environment: Environment, probes: ProbeRegistry): FieldMistake[] {
  return [
    ...(Object.keys(environment.hosts).length === 0 ? [{ code: 'no-host', path: ['hosts'], message: 'expected at least one host' }] : []),
    ...Object.entries(environment.databases).flatMap(([name, database]) => databaseMistakes(['databases', name], database, environment)),
    ...Object.entries(environment.probes).flatMap(([name, probe]) => probeMistakes(['probes', name], probe, environment, probes)),
    ...Object.entries(environment.slos).flatMap(([name, slo]) => sloMistakes(['slos', name], slo, environment)),
    ...loginMistakes(environment),
  ];
}

/** What an SLO's measure is counted in. */
export function measureUnit(measure: Slo['measure']): Unit {
  switch (measure) {
    case 'error-rate':
      return 'ratio';
    case 'p50':
    case 'p90':
    case 'p95':
    case 'p99':
    case 'p99.9':
    case 'max':
      return 'duration';
    default:
      return assertNever(measure);
  }
}

function databaseMistakes(path: readonly string[], database: Environment['databases'][string], environment: Environment): FieldMistake[] {
  const hosts = Object.keys(environment.hosts);
  const nodes = Object.entries(database.nodes);
  const found: FieldMistake[] =
    nodes.length === 0 ? [{ code: 'no-node', path: [...path, 'nodes'], message: 'expected at least one node' }] : [];
  for (const [name, node] of nodes) {
    const at = [...path, 'nodes', name];
    if (!hosts.includes(name)) found.push(unknownName('host', name, hosts, at));
    if ((node.fence === undefined) !== (node.unfence === undefined)) {
      const [has, lacks] = node.fence === undefined ? ['unfence', 'fence'] : ['fence', 'unfence'];
      found.push({ code: 'no-way-back', path: [...at, has], message: `${has} needs ${lacks}: every change has a way back` });
    }
  }
  if (database.roles.primary === database.roles.standby) {
    found.push({ code: 'bad-value', path: [...path, 'roles'], message: 'primary and standby need different role names' });
  }
  return found;
}

function probeMistakes(
  path: readonly string[],
  probe: Environment['probes'][string],
  environment: Environment,
  probes: ProbeRegistry,
): FieldMistake[] {
  const definition = probes.get(probe.kind);
  const at = [...path, probe.kind];
  const found = (definition?.literalSecrets?.(probe.spec) ?? []).map((field) => ({
    code: 'literal-secret',
    path: [...at, ...field],
    message: 'expected a reference, never the secret itself\nfor example "${file:keys/token}" or "${env:TOKEN}"',
  }));
  const database = definition?.database?.(probe.spec);
  const known = Object.keys(environment.databases);
  if (database === undefined || known.includes(database)) return found;
  return [...found, unknownName('database', database, known, [...at, 'database'])];
}

function sloMistakes(path: readonly string[], slo: Slo, environment: Environment): FieldMistake[] {
  const probes = Object.keys(environment.probes);
  const found = probes.includes(slo.probe) ? [] : [unknownName('probe', slo.probe, probes, [...path, 'probe'])];
  const levels = (['warning', 'severe', 'fatal'] as const).flatMap((level) => {
    const threshold = slo[level];
    return threshold === undefined ? [] : [{ level, threshold }];
  });
  if (levels.length === 0) {
    const example = measureUnit(slo.measure) === 'ratio' ? '> 5%' : '> 1s';
    return [
      ...found,
      { code: 'no-level', path, message: `expected at least one of warning, severe and fatal\nfor example: fatal: "${example}"` },
    ];
  }
  const each = levels.flatMap(({ level, threshold }) => thresholdMistakes([...path, level], slo.measure, threshold));
  if (each.length > 0) return [...found, ...each];
  for (const [index, { level, threshold }] of levels.entries()) {
    const below = levels[index - 1];
    if (below === undefined || below.threshold.value <= threshold.value) continue;
    found.push({
      code: 'level-order',
      path: [...path, level],
      message: `${level} (${threshold.text}) would be reached before ${below.level} (${below.threshold.text})`,
    });
  }
  return found;
}

function thresholdMistakes(path: readonly string[], measure: Slo['measure'], threshold: Comparison): FieldMistake[] {
  const unit = measureUnit(measure);
  const example = unit === 'ratio' ? '"> 5%"' : '"> 500ms"';
  if (threshold.unit !== unit) {
    const expected = unit === 'ratio' ? 'a percentage' : 'a duration';
    return [
      { code: 'unit-mismatch', path, message: `${measure} is measured as ${expected}, got "${threshold.text}"\nfor example ${example}` },
    ];
  }
  if (threshold.operator !== '>' && threshold.operator !== '>=') {
    const value = threshold.text.replace(/^[<>=]+\s*/, '');
    return [
      {
        code: 'wrong-direction',
        path,
        message: `"${threshold.text}" would be reached while all is well: a level says from where on it is bad\ndid you mean "> ${value}"?`,
      },
    ];
  }
  const unreachable = unit === 'ratio' && (threshold.value > 1 || (threshold.value === 1 && threshold.operator === '>'));
  if (!unreachable) return [];
  return [
    {
      code: 'unreachable-level',
      path,
      message: `a share of samples never gets ${threshold.operator === '>' ? 'above' : 'to'} ${formatQuantity(threshold.value, 'ratio')}`,
    },
  ];
}

/** Found here, not when the first connection of a game day fails. */
function loginMistakes(environment: Environment): FieldMistake[] {
  if (environment.ssh.agent !== false || environment.ssh.identityFile !== undefined) return [];
  const [bare] = Object.entries(environment.hosts).find(([, host]) => host.identityFile === undefined) ?? [];
  if (bare === undefined) return [];
  return [
    { code: 'no-key', path: ['ssh', 'agent'], message: `no way to log in to ${bare}: the agent is off and no identityFile is given` },
  ];
}

function unknownName(what: string, name: string, known: readonly string[], path: readonly (string | number)[]): FieldMistake {
  const help = didYouMean(name, known, 'there are') ?? `this environment has no ${what}s`;
  return { code: `unknown-${what}`, path, message: `unknown ${what} ${JSON.stringify(name)}\n${help}` };
}
