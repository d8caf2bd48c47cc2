// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
/** Rules between the fields of an environment: names that must exist, units and levels that must fit. */
import { assertNever } from '../core/assert-never.ts';
import type { Unit } from '../core/units.ts';
import { didYouMean } from '../experiment/explain.ts';
import type { Environment, ProbeRegistry } from './schema.ts';
import { levelMistakes } from './slo-checks.ts';

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
    ...Object.entries(environment.slos).flatMap(([name, slo]) => sloMistakes(['slos', name], slo, environment, probes)),
    ...loginMistakes(environment),
    ...abortMistakes(environment.guards.abort),
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
    case 'value':
    case 'value-max':
    case 'value-min':
    case 'value-mean':
      return 'count';
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

function sloMistakes(path: readonly string[], slo: Slo, environment: Environment, probes: ProbeRegistry): FieldMistake[] {
  const names = Object.keys(environment.probes);
  const probe = environment.probes[slo.probe];
  const found =
    probe === undefined
      ? [unknownName('probe', slo.probe, names, [...path, 'probe'])]
      : measureMistakes([...path, 'measure'], slo, probe.kind, probes);
  if (slo.objective?.share === 1) {
    const message = 'an objective of 100% leaves no error budget at all\nfor example: share: "99.9%"';
    found.push({ code: 'out-of-bounds', path: [...path, 'objective', 'share'], message });
  }
  if (slo.objective !== undefined && measureUnit(slo.measure) === 'count') {
    const message = `an objective is a share of good samples, and ${slo.measure} has none\nremove it, or measure error-rate or a latency`;
    found.push({ code: 'unit-mismatch', path: [...path, 'objective'], message });
  }
  return [...found, ...levelMistakes(path, slo.measure, measureUnit(slo.measure), slo)];
}

/** A number that nobody reads would never be there; the latency of a monitoring system is not that of what it watches. */
function measureMistakes(path: readonly string[], slo: Slo, kind: string, probes: ProbeRegistry): FieldMistake[] {
  const unit = measureUnit(slo.measure);
  const needed = unit === 'count' ? 'value' : 'latency';
  const gives = probes.get(kind)?.gives ?? [];
  if (unit === 'ratio' || gives.includes(needed)) return [];
  const able = [...probes.values()].filter((probe) => probe.gives.includes(needed)).map((probe) => probe.kind);
  const message =
    needed === 'value'
      ? `a probe of kind ${kind} reads no number, so it has no ${slo.measure}`
      : `a probe of kind ${kind} reads a number, and how long that took says nothing: ${slo.measure} is a latency`;
  const help = needed === 'value' && able.length > 0 ? `kinds that read one: ${able.join(', ')}` : 'did you mean the measure "value"?';
  return [{ code: 'wrong-measure', path, message: `${message}\n${help}` }];
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

/** A rule that needs more than half of what it looks at cannot tell good from bad. */
function abortMistakes(rule: Environment['guards']['abort']): FieldMistake[] {
  if (rule === 'off') return [];
  const most = Math.floor(rule.of / 2);
  if (rule.bad <= most) return [];
  const message = `expected at most half of the last ${rule.of} samples (${most}), got ${rule.bad}`;
  return [{ code: 'out-of-bounds', path: ['guards', 'abort', 'bad'], message }];
}

function unknownName(what: string, name: string, known: readonly string[], path: readonly (string | number)[]): FieldMistake {
  const help = didYouMean(name, known, 'there are') ?? `this environment has no ${what}s`;
  return { code: `unknown-${what}`, path, message: `unknown ${what} ${JSON.stringify(name)}\n${help}` };
}
