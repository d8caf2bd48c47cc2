/**
 * `command`: the fault is whatever three shell commands of the experiment's author say it is. The runner adds what a script of one's own
 * lacks: proof that it took effect, a revert that is always run, and proof that nothing is left.
 */
import { ChaosError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import type { Operation } from '../../plan/plan.ts';
import type { Effect, FaultContext, FaultDefinition, FaultPlan, FaultRequest, RevertCheck } from '../contract.ts';
import { durationMs } from '../fields.ts';
import { CommandParameters } from './schema.ts';

export const command: FaultDefinition<CommandParameters> = {
  kind: 'command',
  title: 'Own commands',
  summary: 'Injects, verifies and reverts with shell commands given in the experiment.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: CommandParameters,
  measures: {},
  needs: [],
  duration: 'optional',
  plan: async (request) => plan(request),
  prepare,
  inject,
  verify,
  revert,
  verifyReverted,
};

function plan({ parameters, targets }: FaultRequest<CommandParameters>): FaultPlan {
  return {
    hosts: targets.map((target) => target.id),
    operations: targets.flatMap((target) => operationsOn(target.id, parameters)),
    notes: ['What the commands do is the author’s word; the runner only checks that `verify` and `check` say so.'],
  };
}

function operationsOn(target: string, { inject, verify, revert, check, timeout }: CommandParameters): Operation[] {
  const base = { target, via: 'shell', timeoutMs: durationMs(timeout) } as const;
  const left = check === undefined ? { text: verify, when: 'must fail: the fault is no longer in effect' } : { text: check };
  return [
    {
      ...base,
      id: `before-${target}`,
      stage: 'prepare',
      purpose: 'see that the fault is not there yet',
      text: verify,
      when: 'must fail',
      changes: false,
    },
    { ...base, id: `inject-${target}`, stage: 'inject', purpose: 'inject', text: inject, changes: true, undo: revert },
    { ...base, id: `verify-${target}`, stage: 'verify', purpose: 'see that it is in effect', text: verify, changes: false },
    { ...base, id: `revert-${target}`, stage: 'revert', purpose: 'revert', text: revert, changes: true },
    { ...base, id: `check-${target}`, stage: 'verify-reverted', purpose: 'see that nothing is left', changes: false, ...left },
  ];
}

/** A fault that is there already could neither be told from ours nor given back as it was. */
async function prepare({ step, operations }: FaultContext): Promise<JsonObject> {
  for (const target of step.targets) {
    const before = await operations.run(`before-${target}`, { accept: 'any' });
    if (before.exitCode === null || before.exitCode >= 126) {
      throw new ChaosError(
        'CHAOS_REFUSED',
        `verify cannot be run on ${target} (exit code ${before.exitCode ?? 'none'}): nothing could be proved`,
        {
          target,
          hint: 'try the verify command by hand on that host',
        },
      );
    }
    if (before.exitCode === 0) {
      throw new ChaosError('CHAOS_REFUSED', `the fault is in effect on ${target} before it was injected: its verify command exits 0`, {
        target,
        hint: 'run the revert command by hand, or make verify exit 0 only while the fault is in effect',
      });
    }
  }
  return { targets: [...step.targets], ownCheck: step.parameters.check !== undefined };
}

async function inject({ step, operations }: FaultContext): Promise<void> {
  for (const target of step.targets) await operations.run(`inject-${target}`);
}

async function verify({ step, operations }: FaultContext): Promise<Effect> {
  const evidence: string[] = [];
  let effective = true;
  for (const target of step.targets) {
    const { exitCode } = await operations.run(`verify-${target}`, { accept: 'any' });
    effective &&= exitCode === 0;
    evidence.push(`${target}: verify exited ${exitCode ?? 'by a signal'}`);
  }
  return { effective, evidence };
}

/** Every target is tried, whatever happens on the others. */
async function revert({ step, operations }: FaultContext): Promise<void> {
  const failures: unknown[] = [];
  for (const target of step.targets.toReversed()) {
    try {
      await operations.run(`revert-${target}`);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'the revert command failed');
}

async function verifyReverted({ step, operations }: FaultContext, undo: JsonObject): Promise<RevertCheck> {
  const evidence: string[] = [];
  let clean = true;
  for (const target of step.targets) {
    const { exitCode } = await operations.run(`check-${target}`, { accept: 'any' });
    // A verify that was killed or never started proves nothing; only an exit code of its own does.
    const gone = undo.ownCheck === true ? exitCode === 0 : exitCode !== null && exitCode > 0 && exitCode < 126;
    clean &&= gone;
    evidence.push(`${target}: ${undo.ownCheck === true ? 'check' : 'verify'} exited ${exitCode ?? 'by a signal'}`);
  }
  return { clean, evidence, findings: [] };
}
