/**
 * Experiment + environment -> Plan. Pure: targets are chosen from what was resolved before, every fault spells out its operations, and
 * whatever does not fit is a mistake at its place in the experiment, all of them at once.
 */
import type { Diagnostic } from '../core/diagnostics.ts';
import { selectionMistake } from '../environment/cross-check.ts';
import type { EnvironmentModel } from '../environment/resolve.ts';
import { selectTargets } from '../environment/select.ts';
import type { ExperimentFile } from '../experiment/load.ts';
import type { ExperimentFaultStep } from '../experiment/schema.ts';
import type { FaultDefinition, FaultPlan } from '../faults/contract.ts';
import type { ProbeDefinition } from '../probes/contract.ts';
import { fileHash } from './hash.ts';
import type { DatabaseCluster, Expectation, FaultStep, PlanDraft, PlannedHost, PlannedProbe, PlannedSlo, Step } from './plan.ts';

export interface PlanInput {
  readonly file: ExperimentFile;
  /** The file as the plan names it: relative to the project, so that the plan is the same on every machine. */
  readonly shownFile: string;
  readonly environment: EnvironmentModel;
  /** All hosts of the environment with the roles that they hold now. */
  readonly hosts: readonly PlannedHost[];
  readonly faults: ReadonlyMap<string, FaultDefinition>;
  readonly probes: ReadonlyMap<string, ProbeDefinition>;
}

export type BuiltPlan =
  | { readonly ok: true; readonly draft: PlanDraft }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Undoing a failover may copy a whole data directory. */
const timeouts = { connectMs: 30_000, prepareMs: 60_000, rollbackMs: 600_000 } as const;

interface PlannedStep {
  readonly step: Step;
  readonly hosts: readonly string[];
  readonly database?: string;
}

export async function buildPlan(input: PlanInput): Promise<BuiltPlan> {
  const { experiment } = input.file;
  const diagnostics: Diagnostic[] = [];
  const slos = experiment.steadyState.slos.flatMap((name) => input.environment.slos.find((slo) => slo.name === name) ?? []);
  const steps: PlannedStep[] = [];
  for (const [index, step] of experiment.method.entries()) {
    if (step.kind === 'wait') {
      steps.push({ step: { kind: 'wait', id: `s${index + 1}`, forMs: step.wait }, hosts: [] });
      continue;
    }
    const planned = await planFault(input, step, index, diagnostics);
    if (planned !== undefined) steps.push(planned);
  }
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  return { ok: true, draft: assemble(input, slos, steps) };
}

function assemble(input: PlanInput, slos: PlannedSlo[], steps: readonly PlannedStep[]): PlanDraft {
  const { experiment, bytes } = input.file;
  const { name, tier, file: environmentFile } = input.environment;
  const touched = new Set(steps.flatMap(({ hosts }) => hosts));
  const probes = neededProbes(input, slos, steps);
  const databases = new Set([
    ...steps.flatMap(({ database }) => database ?? []),
    ...probes.flatMap((probe) => databaseOf(input, probe) ?? []),
  ]);
  const { baseline, recovery } = experiment.steadyState;
  const { maxTargets, maxShare, maxDuration } = experiment.limits;
  return {
    version: 1,
    experiment: {
      name: experiment.name,
      title: experiment.title,
      owner: experiment.owner,
      tags: [...experiment.tags],
      ...(experiment.runbook === undefined ? {} : { runbook: experiment.runbook }),
      hypothesis: experiment.hypothesis,
      file: input.shownFile,
      sha256: fileHash(bytes),
    },
    environment: { name, tier, file: environmentFile },
    hosts: input.hosts.filter((host) => touched.has(host.id)),
    databases: input.environment.databases.filter((database) => databases.has(database.name)).map(withoutRoles),
    probes,
    slos,
    abort: input.environment.abort,
    steadyState: { baselineMs: baseline, recovery: { withinMs: recovery.within, holdMs: recovery.hold } },
    steps: steps.map(({ step }) => step),
    limits: { maxTargets, maxShare, maxDurationMs: maxDuration },
    timeouts,
  };
}

function withoutRoles({ roles: _roles, ...cluster }: EnvironmentModel['databases'][number]): DatabaseCluster {
  return cluster;
}

/** The probes of the SLOs, and the ledgers over the databases that faults work on. */
function neededProbes(input: PlanInput, slos: readonly PlannedSlo[], steps: readonly PlannedStep[]): PlannedProbe[] {
  const databases = steps.flatMap(({ database }) => database ?? []);
  const needed = input.environment.probes.filter((probe) => {
    const database = ledgerOf(input, probe);
    return slos.some((slo) => slo.probe === probe.name) || (database !== undefined && databases.includes(database));
  });
  return needed.map((probe) => {
    const definition = input.probes.get(probe.kind);
    const changes = definition?.changes?.(definition.spec.parse(probe.spec)) ?? [];
    return changes.length === 0 ? probe : { ...probe, changes: [...changes] };
  });
}

/** The database that a probe keeps a write ledger of. */
function ledgerOf(input: PlanInput, probe: PlannedProbe): string | undefined {
  return input.probes.get(probe.kind)?.ledger === true ? databaseOf(input, probe) : undefined;
}

/** The database a probe asks or writes to. */
function databaseOf(input: PlanInput, probe: PlannedProbe): string | undefined {
  const definition = input.probes.get(probe.kind);
  return definition?.database?.(definition.spec.parse(probe.spec));
}

async function planFault(
  input: PlanInput,
  step: ExperimentFaultStep,
  index: number,
  diagnostics: Diagnostic[],
): Promise<PlannedStep | undefined> {
  const definition = input.faults.get(step.fault);
  // The schema has refused unknown faults already.
  if (definition === undefined) throw new TypeError(`no fault ${step.fault}`);
  const selection = selectTargets(step.on, input.hosts, input.environment.labels);
  if (!selection.ok) {
    diagnostics.push(input.file.source.diagnostic(selectionMistake(index, step.on, selection.problem)));
    return undefined;
  }
  const planned = await definition.plan({
    parameters: step.with,
    targets: input.hosts.filter((host) => selection.targets.includes(host.id)),
    hosts: input.hosts,
    databases: input.environment.databases.map(withoutRoles),
    step: `s${index + 1}`,
    ...(step.duration === undefined ? {} : { durationMs: step.duration }),
    maxDurationMs: input.file.experiment.limits.maxDuration,
  });
  if ('mistakes' in planned) {
    for (const { path, message } of planned.mistakes) {
      const at = path.length === 0 ? ['method', index, 'fault'] : ['method', index, 'with', ...path];
      diagnostics.push(input.file.source.diagnostic({ code: 'bad-fault', path: at, summary: message }));
    }
    return undefined;
  }
  const expectations = expectationsOf(input, definition, planned, step, index, diagnostics);
  return {
    step: faultStep(definition, planned, step, index, selection.targets, expectations),
    hosts: planned.hosts,
    ...databaseField(planned),
  };
}

function databaseField({ database }: FaultPlan): { database?: string } {
  return database === undefined ? {} : { database };
}

function faultStep(
  definition: FaultDefinition,
  planned: FaultPlan,
  step: ExperimentFaultStep,
  index: number,
  targets: readonly string[],
  expectations: Expectation[],
): FaultStep {
  const { expectedImpact } = step;
  return {
    kind: 'fault',
    id: `s${index + 1}`,
    fault: definition.kind,
    title: definition.title,
    targets: [...targets],
    reversibility: definition.reversibility,
    heals: definition.heals,
    parameters: step.with,
    operations: [...planned.operations],
    expectations,
    ...(expectedImpact === undefined ? {} : { expectedImpact: { slos: [...expectedImpact.slos], forMs: expectedImpact.for } }),
    ...(step.duration === undefined ? {} : { durationMs: step.duration }),
    notes: [...planned.notes],
  };
}

/** Each clause with what measures it; a ledger measure without a ledger over the fault's database could never be known. */
function expectationsOf(
  input: PlanInput,
  definition: FaultDefinition,
  planned: FaultPlan,
  step: ExperimentFaultStep,
  index: number,
  diagnostics: Diagnostic[],
): Expectation[] {
  return Object.entries(step.expect).flatMap(([measure, comparison]): Expectation[] => {
    const declared = definition.measures[measure];
    if (declared === undefined || comparison === undefined) return [];
    const base = { measure, unit: declared.unit, comparison };
    if (declared.source === 'fault') return [{ ...base, source: 'fault' }];
    const ledger = input.environment.probes.find((probe) => planned.database !== undefined && ledgerOf(input, probe) === planned.database);
    if (ledger !== undefined) return [{ ...base, source: ledger.name }];
    diagnostics.push(
      input.file.source.diagnostic({
        code: 'no-ledger',
        path: ['method', index, 'expect', measure],
        summary: `${measure} is measured by a write ledger, and the environment has none over database ${planned.database ?? 'unknown'}`,
        detail: `add to its probes: NAME: { postgres-ledger: { database: ${planned.database ?? 'NAME'} } }`,
      }),
    );
    return [];
  });
}
