import type { Operation } from '../../plan/plan.ts';
import type { FaultPlan, FaultRequest } from '../contract.ts';
import { durationMs } from '../fields.ts';
import { claimOperations } from '../fuse/claim.ts';
import type { ProcessKillParameters } from './schema.ts';
import { backText, findText, goneText, killText } from './shell.ts';

const quick = 20_000;
const restartTimeout = 60_000;

export function plan(request: FaultRequest<ProcessKillParameters>): FaultPlan {
  const { parameters, targets } = request;
  const undone =
    parameters.restart === undefined ? 'it comes back by itself or not at all: no restart command was given' : 'else it is restarted';
  return {
    hosts: targets.map((target) => target.id),
    operations: [
      ...claimOperations(request, { atLeastMs: 2 * durationMs(parameters.comesBackWithin) + restartTimeout, boot: false }),
      ...targets.flatMap((target) => operationsOn(target.id, parameters)),
    ],
    notes: [`A killed process cannot be brought back as it was; rollback waits ${parameters.comesBackWithin} for a new one, ${undone}.`],
  };
}

function operationsOn(target: string, parameters: ProcessKillParameters): Operation[] {
  const within = durationMs(parameters.comesBackWithin);
  const base = { target, via: 'shell', changes: false, timeoutMs: quick } as const;
  const back = { ...base, text: backText(parameters, Math.ceil(within / 1_000)), timeoutMs: within + quick };
  const operations: Operation[] = [
    { ...base, id: `find-${target}`, stage: 'prepare', purpose: 'find the process', text: findText(parameters) },
    {
      ...base,
      id: `kill-${target}`,
      stage: 'inject',
      purpose: `send SIG${parameters.signal} to the process that was found, and to no other`,
      text: killText(parameters),
      changes: true,
      undo: parameters.restart ?? 'comes back by itself',
    },
    { ...base, id: `gone-${target}`, stage: 'verify', purpose: 'see that it is gone', text: goneText() },
    { ...back, id: `watch-${target}`, stage: 'verify', purpose: 'wait until it has come back by itself' },
    { ...back, id: `await-${target}`, stage: 'revert', purpose: 'wait until it has come back by itself' },
    { ...base, id: `alive-${target}`, stage: 'verify-reverted', purpose: 'see that it is alive', text: findText(parameters) },
  ];
  if (parameters.restart !== undefined) {
    const restart = { target, via: 'shell', stage: 'revert', when: 'it has not come back by itself' } as const;
    operations.push(
      {
        ...restart,
        id: `restart-${target}`,
        purpose: 'start it again',
        text: parameters.restart,
        changes: true,
        timeoutMs: restartTimeout,
      },
      { ...back, ...restart, id: `await-restart-${target}`, purpose: 'wait until it is there again' },
    );
  }
  return operations;
}
