/**
 * For faults that leave nothing to undo on a target: a fuse with nothing in it. It keeps all other runs off the target until its run is over, and
 * goes with its runner as every fuse does.
 */
import { ChaosError } from '../../core/errors.ts';
import { tail } from '../../core/text.ts';
import type { Operation } from '../../plan/plan.ts';
import type { FaultContext, FaultRequest, Operations } from '../contract.ts';
import { foreignFuse, fuseInput } from './answers.ts';
import { armText, forgetText, fuseId, holdText, listText, pullText } from './script.ts';

/** How long it outlives its runner, s. */
const leaseS = 15;
const timeoutMs = 45_000;
const nothing = 'exit 0';
/** What a host that cannot have a fuse says; such a fault works there all the same. */
const cannot = /refused: (?:setsid is missing|\/proc is not there)/;

/** `atLeastMs`: how long the fault itself may take, beyond the method's longest duration. */
export function claimOperations(
  { step, targets, maxDurationMs }: Pick<FaultRequest<unknown>, 'step' | 'targets' | 'maxDurationMs'>,
  { atLeastMs, boot }: { readonly atLeastMs: number; readonly boot: boolean },
): Operation[] {
  const deadlineS = Math.ceil((maxDurationMs + atLeastMs) / 1_000) + 60;
  return targets.flatMap(({ id: target }, index): Operation[] => {
    const id = fuseId(step, index + 1);
    const base = { target, via: 'shell', privileged: true, changes: false, timeoutMs } as const;
    return [
      { ...base, id: `fuses-${target}`, stage: 'prepare', purpose: 'see that no other run has a fault here', text: listText() },
      {
        ...base,
        id: `claim-${target}`,
        stage: 'inject',
        purpose: 'keep other runs off the target',
        text: armText(id, { leaseS, deadlineS, boot }),
        changes: true,
        undo: 'removed at the end; by itself when the runner is gone',
      },
      {
        ...base,
        id: `hold-${target}`,
        stage: 'inject',
        purpose: 'renew the lease every 3 s',
        text: holdText(id),
        timeoutMs: deadlineS * 1_000,
      },
      { ...base, id: `pull-${target}`, stage: 'verify-reverted', purpose: 'let other runs in again', text: pullText(id), changes: true },
      { ...base, id: `forget-${target}`, stage: 'verify-reverted', purpose: 'remove the fuse', text: forgetText(id), changes: true },
    ];
  });
}

/** Why `target` is not free; `undefined` when it is. */
export async function claimedByOther(operations: Operations, target: string): Promise<string | undefined> {
  const fuses = await operations.run(`fuses-${target}`, { stdin: fuseInput(), accept: 'any' });
  return foreignFuse(fuses.stdout || fuses.stderr, operations.runId);
}

/** Rejects with `CHAOS_REFUSED` when another run was faster. */
export async function claim({ step, operations }: FaultContext, target: string): Promise<void> {
  const stdin = fuseInput({ about: { fault: step.fault, target }, undo: nothing, check: nothing });
  const { exitCode, stdout, stderr } = await operations.run(`claim-${target}`, { stdin, accept: 'any' });
  if (exitCode === 0) return operations.hold(`hold-${target}`);
  if (!cannot.test(stdout)) throw new ChaosError('CHAOS_REFUSED', `${target}: ${tail(stdout || stderr, 400)}`);
}

/** Also where it was never claimed. */
export async function endClaim(operations: Operations, target: string): Promise<void> {
  operations.release(`hold-${target}`);
  // 3: there is none.
  await operations.run(`pull-${target}`, { accept: [0, 3] });
  await operations.run(`forget-${target}`);
}
