/** From the files to the plan that is shown or run: asks who holds the database roles, builds, lets the guards answer, hashes. */
import { basename, dirname, relative } from 'node:path';
import { ChaosError, describeError } from '../core/errors.ts';
import { askDatabaseRoles, type DatabaseRole } from '../engine/roles.ts';
import type { Sessions } from '../engine/sessions.ts';
import type { EnvironmentModel } from '../environment/resolve.ts';
import type { ExperimentFile } from '../experiment/load.ts';
import { findProjectRoot } from '../experiment/project.ts';
import { faultRegistry } from '../faults/registry.ts';
import type { GuardInput } from '../guards/contract.ts';
import { askGuards } from '../guards/registry.ts';
import { longestRemoval } from '../journal/removal.ts';
import { openRuns } from '../journal/runs.ts';
import { buildPlan } from '../plan/build.ts';
import { planHash } from '../plan/hash.ts';
import type { Plan, PlanDraft, PlannedHost } from '../plan/plan.ts';
import { probeRegistry } from '../probes/registry.ts';
import { FileMistakes } from './mistakes.ts';

export interface PlanRequest {
  readonly file: ExperimentFile;
  readonly environment: EnvironmentModel;
  readonly sessions: Sessions;
  readonly reports: string;
  readonly confirmed?: string;
}

export interface MadePlan {
  readonly plan: Plan;
  /** The guards' answers as they would be now; the run `except` itself does not count as unfinished. */
  recheck(except: string): Promise<Plan['guards']>;
}

/** Connects and reads; changes nothing. Throws `FileMistakes` for what does not fit, `CHAOS_REFUSED` when a role cannot be asked. */
export async function makePlan(request: PlanRequest, signal: AbortSignal): Promise<MadePlan> {
  const { environment, file } = request;
  const roles = await rolesOf(request, signal);
  const built = await buildPlan({
    file,
    shownFile: shownFile(file.file),
    environment,
    hosts: withRoles(environment, roles),
    faults: faultRegistry,
    probes: probeRegistry,
  });
  if (!built.ok) throw new FileMistakes(built.diagnostics);
  const recheck = async (except?: string): Promise<Plan['guards']> => askGuards(await guardInput(request, built.draft, except));
  return { plan: { ...built.draft, guards: await recheck(), hash: planHash(built.draft) }, recheck };
}

/** A database that a dead runner left without a primary cannot be asked: the way out is to finish that run, not to look for the server. */
async function rolesOf(request: PlanRequest, signal: AbortSignal): Promise<ReadonlyMap<string, DatabaseRole>> {
  try {
    return await askDatabaseRoles(request.sessions, request.environment.databases, signal);
  } catch (cause) {
    const [left] = signal.aborted ? [] : await unfinishedHere(request);
    if (left === undefined) throw cause;
    throw new ChaosError('CHAOS_REFUSED', describeError(cause), {
      hint: `run ${left} is not finished: chaos recover ${left}`,
      cause,
    });
  }
}

/** Ids of the runs on this environment that are open; a journal that cannot be read may be of any environment. */
async function unfinishedHere({ environment, reports }: PlanRequest): Promise<string[]> {
  const { runs, unreadable } = await openRuns(reports);
  return [...runs.filter((run) => run.started.plan.environment.file === environment.file).map((run) => run.id), ...unreadable];
}

/** Relative to the project the file lies in; a file outside any project keeps its name. */
function shownFile(file: string): string {
  try {
    return relative(findProjectRoot(dirname(file)), file);
  } catch {
    return basename(file);
  }
}

function withRoles(environment: EnvironmentModel, roles: ReadonlyMap<string, DatabaseRole>): PlannedHost[] {
  return environment.hosts.map((host) => {
    const role = roles.get(host.id);
    const database = environment.databases.find(({ nodes }) => nodes.some((node) => node.host === host.id));
    return role === undefined || database === undefined ? host : { ...host, roles: [...host.roles, database.roles[role]] };
  });
}

async function guardInput(request: PlanRequest, plan: PlanDraft, except: string | undefined): Promise<GuardInput> {
  const { environment, confirmed } = request;
  const unfinished = (await unfinishedHere(request)).filter((run) => run !== except);
  // Only what a guard will ask for is read: journals are long.
  const promised = plan.slos.some(({ objective }) => objective !== undefined);
  const removalMs = promised ? await longestRemoval(request.reports, plan.experiment.name, environment.file) : undefined;
  const groups = new Map<string, string[]>();
  for (const host of environment.hosts) {
    for (const group of host.groups) groups.set(group, [...(groups.get(group) ?? []), host.id]);
  }
  return {
    plan,
    environment: { groups, hostCount: environment.hosts.length, protectedHosts: environment.protectedHosts, ...environment.guards },
    unfinished,
    ...(removalMs === undefined ? {} : { removalMs }),
    ...(confirmed === undefined ? {} : { confirmed }),
  };
}
