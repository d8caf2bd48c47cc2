/** The fuses that a run left on its targets, and who reverted each: as the fuse itself answered, and nothing that it did not say. */
import { plannedOperation } from './fold-facts.ts';
import type { FaultState, OperationRecord, RunState } from './fold-state.ts';

export interface FuseState {
  readonly target: string;
  /** Run time, ms, of the fuse's answer; absent when nobody saw that it was armed. */
  readonly armedT: number | undefined;
  readonly leaseS: number;
  readonly deadlineS: number;
  readonly reverted: FuseRevert;
}

export interface FuseRevert {
  /** `alone`: nobody asked the fuse to; `unknown`: nobody has heard it. */
  readonly by: 'runner' | 'recover' | 'other' | 'alone' | 'unknown';
  /** For people. */
  readonly text: string;
}

/** What a fuse says when it was told to revert, and not when it decided so. */
const asked = 'it was asked to';

/** The fuses of a fault, in the order they were armed. */
export function fusesOf(state: RunState, fault: FaultState): FuseState[] {
  const own = state.operations.filter((record) => record.step === fault.step);
  return own.flatMap((record) => {
    const role = plannedOperation(state, record)?.fuse;
    if (role?.does !== 'arm') return [];
    const here = own.filter((other) => other.target === record.target);
    const armedT = record.end?.ok === true ? record.end.t : undefined;
    return [{ target: record.target, armedT, leaseS: role.leaseS, deadlineS: role.deadlineS, reverted: revertOf(state, here) }];
  });
}

/** Why a fuse had reverted before it was told to, from its answer to being pulled; `undefined` when it had not. */
export function revertedAlone(answer: string): string | undefined {
  const reason = /^already reverted: (.*)$/m.exec(answer)?.[1]?.trim();
  return reason === undefined || reason === asked ? undefined : reason || 'it did not say why';
}

function revertOf(state: RunState, records: readonly OperationRecord[]): FuseRevert {
  const pulls = records.filter((record) => plannedOperation(state, record)?.fuse?.does === 'pull');
  const told = pulls.findIndex((pull) => /^(?:already )?reverted: /m.test(answerOf(pull) ?? ''));
  const pull = pulls[told];
  if (pull === undefined) return unheard(state, records, pulls);
  const answer = answerOf(pull) ?? '';
  const alone = revertedAlone(answer);
  if (alone !== undefined) return { by: 'alone', text: `by itself: ${alone}` };
  if (/^reverted: /m.test(answer)) return puller(state, pull);
  const earlier = pulls.slice(0, told).findLast((other) => answerOf(other) === undefined);
  if (earlier === undefined) return { by: 'other', text: 'somebody else pulled it: a sweep, or by hand' };
  return { by: 'unknown', text: 'it was pulled, by the runner (whose first attempt was not answered) or by somebody else' };
}

function unheard(state: RunState, records: readonly OperationRecord[], pulls: readonly OperationRecord[]): FuseRevert {
  const undone = records.find((record) => plannedOperation(state, record)?.fuse?.does === 'undo' && record.end?.ok === true);
  if (undone !== undefined) {
    const { by } = puller(state, undone);
    return { by, text: `${by === 'runner' ? 'the runner' : 'chaos recover'} sent the undo itself; what the fuse did is unknown` };
  }
  const answers = pulls.map(answerOf);
  if (answers.some((answer) => answer !== undefined && /^absent$/m.test(answer))) {
    return { by: 'unknown', text: 'unknown: the fuse was gone when it was pulled' };
  }
  if (answers.some((answer) => answer !== undefined)) return { by: 'unknown', text: 'not known to have reverted: the fuse could not' };
  return { by: 'unknown', text: pulls.length === 0 ? 'unknown: it was never pulled' : 'unknown: it did not answer' };
}

function puller({ recoveries }: RunState, { t }: OperationRecord): FuseRevert {
  const recovered = recoveries.some((recovery) => recovery.t <= t);
  return recovered ? { by: 'recover', text: 'pulled by chaos recover' } : { by: 'runner', text: 'pulled by the runner' };
}

/** `undefined` when nobody saw an answer. */
function answerOf({ end }: OperationRecord): string | undefined {
  return end?.ok === true ? end.detail : undefined;
}
