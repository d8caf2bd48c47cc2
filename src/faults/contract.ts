/**
 * What a fault is. `plan` spells out every operation as data; the later stages may only run operations of that plan, by id.
 * `revert` works from the undo record alone, may be called any number of times, by another process, and succeeds when nothing is left.
 * Faults know driver contracts only: no ssh2, no files of the runner, no terminal.
 */
import type * as z from 'zod';
import type { Clock } from '../core/clock.ts';
import type { JsonObject } from '../core/json.ts';
import type { Unit } from '../core/units.ts';
import type { SqlRow } from '../drivers/contract.ts';
import type { DatabaseCluster, FaultStep, Operation, PlannedHost } from '../plan/plan.ts';

/** What a fault may need of a host, beyond a POSIX shell: see {@link file://./needs.ts}. */
export type HostNeed =
  | 'fuse'
  | 'root'
  | 'tc'
  | 'network'
  | 'netem'
  | 'tbf'
  | 'corrupt'
  | 'duplicate'
  | 'reorder'
  | 'firewall'
  | 'systemd'
  | 'resolver'
  | 'clock'
  | 'containers'
  | 'blade';

/** What `plan` may look at. All resolved; nothing is asked from targets here. */
export interface FaultRequest<Parameters> {
  readonly parameters: Parameters;
  /** The selected targets, at least one, in the order of the environment file. */
  readonly targets: readonly PlannedHost[];
  /** Every host of the environment, for faults that touch a peer of the target (the standby of a primary). */
  readonly hosts: readonly PlannedHost[];
  readonly databases: readonly DatabaseCluster[];
  /** The step's id. */
  readonly step: string;
  /** How long the fault is held, where the step says so. */
  readonly durationMs?: number;
  /** No fault of the experiment is held longer. */
  readonly maxDurationMs: number;
}

export interface FaultPlan {
  /** Hosts the fault needs a connection to, the targets included. */
  readonly hosts: readonly string[];
  readonly operations: readonly Operation[];
  readonly notes: readonly string[];
  /** Only probes over this database count for the fault's ledger measures. */
  readonly database?: string;
}

export type PlannedFault = FaultPlan | { readonly mistakes: readonly FaultMistake[] };

/** A problem with the request that the author of the file can mend. `path` is inside `with`, empty for the step itself. */
export interface FaultMistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What an operation gave. `shell` and `copy`: exit code and output; `sql`: rows. */
export interface OperationResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Not all of the output is in here. */
  readonly truncated?: boolean;
  readonly rows: readonly SqlRow[];
}

export interface OperationOptions {
  /** Values for `@name@`. Shell: only `[A-Za-z0-9._:/+-]*` is let through (else `CHAOS_PLAN_DRIFT`); SQL: quoted as literals. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Standard input of a `shell` operation. */
  readonly stdin?: string;
  /** Exit codes that are results and not failures. Default `[0]`. */
  readonly accept?: readonly number[] | 'any';
}

export interface Operations {
  /**
   * Runs the planned operation `id`. Changes are journalled before they are sent.
   * Rejects with `CHAOS_PLAN_DRIFT` (unknown id), `CHAOS_COMMAND`, `CHAOS_SQL`, `CHAOS_TARGET_LOST`, or the signal's reason.
   */
  run(id: string, options?: OperationOptions): Promise<OperationResult>;
  /** Is there such an operation in this step's plan? */
  has(id: string): boolean;
  /** The text of the `shell` operation `id` as it would be sent, for an operation that leaves it on the target. */
  text(id: string, variables?: Readonly<Record<string, string>>): string;
  /**
   * Runs several `shell` operations, begun in the same moment once every target is ready to; when one is not, none is begun.
   * Rejects with all failures together, as {@link run} does for one.
   */
  runTogether(calls: readonly { readonly id: string; readonly options?: OperationOptions }[]): Promise<readonly OperationResult[]>;
  /**
   * Begins the `shell` operation `id` and keeps it: it gets the line `renew` every 3 s and has to answer `ok`. When it ends or answers
   * otherwise before {@link release}, the run is stopped: its target is lost. Rejects with `CHAOS_COMMAND` when it does not answer at first.
   */
  hold(id: string): Promise<void>;
  /** The end of what {@link hold} began is expected from now on. */
  release(id: string): void;
  /** From here on the connection to `target` may break, and that does not stop the run: the fault takes it away. */
  mayLeave(target: string): void;
  /** The end of {@link mayLeave}. */
  returned(target: string): void;
  /** The run's id, as in `@run@`. */
  readonly runId: string;
}

export interface FaultContext {
  readonly step: FaultStep;
  readonly operations: Operations;
  readonly clock: Clock;
  /** In `revert` and `verifyReverted` a fresh one with its own time limit: the signal that stopped the run never gets there. */
  readonly signal: AbortSignal;
  /** Records progress that a later revert must know of (for example `promoted`), on disk before it resolves. */
  mark(name: string, data?: JsonObject): Promise<void>;
  /** The names marked so far in this run, oldest first, with their data; also those of a runner that died. */
  readonly marks: ReadonlyMap<string, JsonObject>;
}

/** Measured values by name, in the unit that the fault declares for them. */
export type Measures = Readonly<Record<string, number>>;

export interface Effect {
  /** False: the fault never took effect; the run is not-tested. */
  readonly effective: boolean;
  /** What was read to know it. */
  readonly evidence: readonly string[];
  readonly measures?: Measures;
}

export interface RevertCheck {
  readonly clean: boolean;
  /** What was read back, one fact an entry. */
  readonly evidence: readonly string[];
  /** Not ours to undo, but people must know: a standby that died by itself. */
  readonly findings: readonly string[];
  readonly measures?: Measures;
}

/**
 * By target, the facts that were read on it after it was undone, in one breath with that: only targets whose check said clean.
 */
export type ReadBack = ReadonlyMap<string, readonly string[]>;

export interface MeasureDeclaration {
  readonly unit: Unit;
  /** `fault`: reported by verify or verifyReverted; `ledger`: by the write ledger of the fault's database. */
  readonly source: 'fault' | 'ledger';
  readonly description: string;
}

export interface FaultDefinition<Parameters = unknown> {
  readonly kind: string;
  readonly title: string;
  readonly summary: string;
  readonly reversibility: 'reversible' | 'compensable' | 'irreversible';
  readonly heals: 'by-itself' | 'by-revert';
  /** The schema of `with`; strict, every field described. */
  readonly parameters: z.ZodType<Parameters>;
  /** What `expect` may name. */
  readonly measures: Readonly<Record<string, MeasureDeclaration>>;
  /** What it needs of its targets, so that people can be told beforehand. */
  readonly needs: readonly HostNeed[];
  /** May the step carry `duration`? `required` where the fault would stay for ever otherwise. */
  readonly duration: 'required' | 'optional' | 'none';
  /** Spells out every operation. Pure; asynchronous only because its code is loaded when it is needed. */
  plan(request: FaultRequest<Parameters>): Promise<PlannedFault>;
  /** Reads only. Gives the undo record; rejects with `CHAOS_REFUSED` (reason and fix) when it could not be undone. */
  prepare(context: FaultContext): Promise<JsonObject>;
  inject(context: FaultContext, undo: JsonObject): Promise<void>;
  /** Is it really in effect? Asked after the injection, and where a revert undoes it once more at the end of its time. */
  verify(context: FaultContext, undo: JsonObject): Promise<Effect>;
  /** May give what it read back already. */
  revert(context: FaultContext, undo: JsonObject): Promise<ReadBack | undefined>;
  /** Reads the state back; never trusts that `revert` returned. `seen` is what the revert just before it gave: it need not be read again. */
  verifyReverted(context: FaultContext, undo: JsonObject, seen?: ReadBack): Promise<RevertCheck>;
}
