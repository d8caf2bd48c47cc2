/** What a guard is: a rule over a plan that allows or refuses, always with the numbers and with what would make it pass. Pure. */
import type { GuardAnswer, PlanDraft } from '../plan/plan.ts';

export interface GuardInput {
  readonly plan: PlanDraft;
  readonly environment: {
    /** Hosts by group, the whole environment. */
    readonly groups: ReadonlyMap<string, readonly string[]>;
    readonly hostCount: number;
    readonly protectedHosts: readonly string[];
    readonly maxTargets?: number;
    /** Ratio 0–1. */
    readonly maxShare?: number;
    /** Of an SLO's error budget that one run may spend at worst, 0–1. */
    readonly budgetAllowance?: number;
  };
  /** What the operator typed after `--confirm`. */
  readonly confirmed?: string;
  /** Runs on this environment that are not finished. */
  readonly unfinished: readonly string[];
  /** How long undoing took in earlier runs of this experiment, ms, the longest; absent: there was none. */
  readonly removalMs?: number;
}

export interface Guard {
  readonly name: string;
  check(input: GuardInput): GuardAnswer;
}

/** The hosts that the plan's faults select, each once. */
export function selectedTargets(plan: PlanDraft): string[] {
  return [...new Set(plan.steps.flatMap((step) => (step.kind === 'fault' ? step.targets : [])))];
}
