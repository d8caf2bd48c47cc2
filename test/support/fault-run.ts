/** Drives one fault through the real executor and sessions on local hosts, and records what it did. */
import { systemClock } from '../../src/core/clock.ts';
import { ChaosError } from '../../src/core/errors.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { milliseconds } from '../../src/core/units.ts';
import { postgresqlConnector } from '../../src/drivers/sql/postgresql.ts';
import { Leases } from '../../src/engine/leases.ts';
import { PlannedOperations } from '../../src/engine/operations.ts';
import { Sessions } from '../../src/engine/sessions.ts';
import type { Effect, FaultContext, FaultDefinition, ReadBack, RevertCheck } from '../../src/faults/contract.ts';
import type { EventBody } from '../../src/journal/events.ts';
import type { DatabaseCluster, FaultStep, PlannedHost } from '../../src/plan/plan.ts';
import { type LocalHost, localSession } from './local-session.ts';

export interface FaultSetting {
  readonly hosts: readonly LocalHost[];
  readonly databases?: readonly DatabaseCluster[];
  readonly targets: readonly string[];
  readonly parameters: JsonObject;
  readonly expectations?: FaultStep['expectations'];
}

/** Another one in each worker: a fault finds its processes by it, in the whole machine. */
export const runId = `t${process.pid.toString(36).padStart(5, '0')}`;

export function plannedHost(id: string): PlannedHost {
  const login = {
    driver: 'ssh',
    address: '127.0.0.1',
    port: 22,
    user: 'shop',
    identityFiles: [],
    agent: false,
    knownHostsFiles: [],
    become: 'none',
  } as const;
  return { id, ...login, jumps: [], identityFiles: [], knownHostsFiles: [], groups: [], roles: [] };
}

/** The step as a plan would hold it. */
export async function planStep(definition: FaultDefinition, setting: FaultSetting): Promise<FaultStep> {
  const hosts = setting.hosts.map(({ id }) => plannedHost(id));
  const parameters = definition.parameters.parse(setting.parameters);
  const targets = hosts.filter(({ id }) => setting.targets.includes(id));
  const planned = await definition.plan({
    parameters,
    targets,
    hosts,
    databases: setting.databases ?? [],
    step: 's1',
    maxDurationMs: 60_000,
  });
  if ('mistakes' in planned) throw new Error(planned.mistakes.map(({ message }) => message).join('; '));
  return {
    kind: 'fault',
    id: 's1',
    fault: definition.kind,
    title: definition.title,
    targets: [...setting.targets],
    reversibility: definition.reversibility,
    heals: definition.heals,
    parameters: parameters as JsonObject,
    operations: [...planned.operations],
    expectations: setting.expectations ?? [],
    notes: [...planned.notes],
  };
}

/** What a runner keeps for one fault. `dieAt` makes it die, as `kill -9` would, when the named mark or operation is reached. */
export class FaultRun implements AsyncDisposable {
  #step: FaultStep | undefined;
  readonly events: EventBody[] = [];
  readonly marks: Map<string, JsonObject>;
  undo: JsonObject = {};
  readonly #definition: FaultDefinition;
  readonly #setting: FaultSetting;
  readonly #sessions: Sessions;
  readonly leases = new Leases((target, detail) => void this.lost.push(`${target}: ${detail}`));
  readonly lost: string[] = [];
  readonly stop = new AbortController();
  dieAt: string | undefined;

  constructor(
    definition: FaultDefinition,
    setting: FaultSetting,
    before: { readonly step: FaultStep; readonly undo: JsonObject; readonly marks: Map<string, JsonObject> } | undefined = undefined,
  ) {
    this.#definition = definition;
    this.#setting = setting;
    this.#step = before?.step;
    this.marks = new Map(before?.marks);
    this.undo = before?.undo ?? {};
    this.#sessions = new Sessions({
      hosts: setting.hosts.map(({ id }) => plannedHost(id)),
      databases: setting.databases ?? [],
      driver: async () => ({ kind: 'ssh', connect: async ({ id }) => localSession(this.#host(id)) }),
      sql: postgresqlConnector,
      secret: (text) => text,
      connectTimeout: milliseconds(5_000),
      onLost: () => undefined,
    });
  }

  /** As planned; known once it is prepared. */
  get step(): FaultStep {
    if (this.#step === undefined) throw new Error('not prepared');
    return this.#step;
  }

  async prepare(): Promise<JsonObject> {
    this.#step ??= await planStep(this.#definition, this.#setting);
    this.undo = await this.#definition.prepare(this.#context());
    return this.undo;
  }

  inject(): Promise<void> {
    return this.#definition.inject(this.#context(), this.undo);
  }

  verify(): Promise<Effect> {
    return this.#definition.verify(this.#context(), this.undo);
  }

  revert(signal = AbortSignal.timeout(60_000)): Promise<ReadBack | undefined> {
    return this.#definition.revert(this.#context(signal), this.undo);
  }

  /** `seen`: what the revert just before it gave, as the engine hands it on. Without it all is read again. */
  verifyReverted(seen?: ReadBack): Promise<RevertCheck> {
    return this.#definition.verifyReverted(this.#context(AbortSignal.timeout(60_000)), this.undo, seen);
  }

  /** The same fault in another process that has the journal only. */
  successor(): FaultRun {
    return new FaultRun(this.#definition, this.#setting, {
      step: this.step,
      undo: JSON.parse(JSON.stringify(this.undo)) as JsonObject,
      marks: this.marks,
    });
  }

  /** Ids of the operations that were run, in order. */
  ran(): string[] {
    return this.events.flatMap((event) => (event.type === 'operation.running' ? [event.operation] : []));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.leases[Symbol.dispose]();
    await this.#sessions[Symbol.asyncDispose]();
  }

  #host(id: string): LocalHost {
    const host = this.#setting.hosts.find((candidate) => candidate.id === id);
    if (host === undefined) throw new Error(`no host ${id}`);
    return host;
  }

  #context(signal: AbortSignal = this.stop.signal): FaultContext {
    const record = async (event: EventBody): Promise<void> => {
      this.events.push(event);
      if (event.type === 'operation.running') this.#die(event.operation);
    };
    const operations = new PlannedOperations({
      runId,
      step: this.step,
      sessions: this.#sessions,
      leases: this.leases,
      record,
      clock: systemClock,
      signal,
      secret: (text) => text,
    });
    return {
      step: this.step,
      operations,
      clock: systemClock,
      signal,
      marks: this.marks,
      mark: async (name, data = {}) => {
        this.marks.set(name, data);
        this.#die(name);
      },
    };
  }

  #die(at: string): void {
    if (this.dieAt !== at) return;
    this.stop.abort(new RunnerDied());
    throw new RunnerDied();
  }
}

export class RunnerDied extends ChaosError {
  constructor() {
    super('CHAOS_INTERNAL', 'the runner died');
  }
}
