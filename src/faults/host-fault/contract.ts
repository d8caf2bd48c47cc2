/**
 * What a fault on hosts has to say of itself: five POSIX shell texts for one target. Everything else (the fuse, injecting on all targets
 * at one moment, undoing at three depths, proving it) is the same for all of them and done by {@link file://./stages.ts}.
 *
 * Each text runs under `set -u`, as root where the environment says `become: sudo` or the login is root, and may use the functions of
 * {@link file://./prelude.ts}. `@name@` stands for a value that `look` saved; `@run@` for the run.
 */
import type * as z from 'zod';
import type { PlannedHost } from '../../plan/plan.ts';
import type { FaultDefinition, FaultMistake, FaultRequest } from '../contract.ts';

export interface HostScripts {
  /**
   * Reads only. `save NAME VALUE` records what the others need (names `[a-z][a-z0-9-]*`, values `[A-Za-z0-9._:/+-]*`);
   * `refuse TEXT` ends it: the fault could not be undone or would have no effect here.
   */
  readonly look: string;
  /** Fails (exit not 0) when it could not inject; what it did half-way is undone by `undo`. Processes it leaves in the background belong to the fuse. */
  readonly inject: string;
  /** Exit 0: in effect; 3: not in effect. Prints what it read, a fact a line; `measure NAME VALUE` reports a measure. */
  readonly verify: string;
  /** Restores what `look` saw. Runs by the fuse or by the runner, any number of times, also when nothing or half of it was injected. */
  readonly undo: string;
  /** Reads only. Exit 0: clean; 3: residue. Prints what it read, a fact a line. */
  readonly check: string;
  /** What undoes it, in a few words for people. Default: the undo text. */
  readonly undoInWords?: string;
}

/** What the texts may be made from. */
export interface HostScriptRequest<Parameters> {
  readonly parameters: Parameters;
  readonly target: PlannedHost;
  /** The fuse's id with `@run@` in it: the name of everything the fault leaves on this target. */
  readonly id: string;
  readonly request: FaultRequest<Parameters>;
}

/** What a fault's `scripts.ts` exports. */
export interface HostFaultTexts<Parameters> {
  scripts(request: HostScriptRequest<Parameters>): HostScripts;
  /** Mistakes that the schema cannot see. Default: none. */
  mistakes?(request: FaultRequest<Parameters>): readonly FaultMistake[];
  /** What a reader of the plan should know. */
  notes?(parameters: Parameters): readonly string[];
}

export interface HostFault<Parameters>
  extends Pick<FaultDefinition<Parameters>, 'kind' | 'title' | 'summary' | 'reversibility' | 'heals' | 'measures' | 'duration' | 'needs'> {
  /** Made when a file names the fault: checking a file pays for the faults in it only. */
  parameters(): z.ZodType<Parameters>;
  load(): Promise<HostFaultTexts<Parameters>>;
  /**
   * What a reboot of the target does to the fault's state: `cleared` (a qdisc, a process) or `kept` (a file, a stopped unit), which the fuse
   * then also reverts at boot where systemd allows.
   */
  readonly reboot: 'cleared' | 'kept';
  /** Longest time for `inject` and `verify`, ms; for `undo` where that is longer. Default 60 s. */
  readonly timeoutMs?: number | ((parameters: Parameters) => number);
}
