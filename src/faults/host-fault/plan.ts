/** The operations of a host fault on every target, with a fuse around the texts of its own. */
import type { Operation, PlannedHost } from '../../plan/plan.ts';
import type { FaultPlan, FaultRequest, PlannedFault } from '../contract.ts';
import { armText, forgetText, fuseId, holdText, injectText, listText, pullText } from '../fuse/script.ts';
import type { HostFault, HostFaultTexts, HostScripts } from './contract.ts';
import { preludeOf } from './prelude.ts';

/** How long a fuse waits for a sign of life, s. */
const leaseS = 15;
/** The runner reverts by itself at the end; the hard deadline is for when it does not, s. */
const deadlineGraceS = 60;
/** sudo alone may take 20 s on a host whose name server is gone. */
const readMs = 45_000;
const changeMs = 60_000;
const pullMs = 120_000;

export async function plan<Parameters>(fault: HostFault<Parameters>, request: FaultRequest<Parameters>): Promise<PlannedFault> {
  const texts = await fault.load();
  const mistakes = texts.mistakes?.(request) ?? [];
  if (mistakes.length > 0) return { mistakes };
  const deadlineS = Math.ceil((request.durationMs ?? request.maxDurationMs) / 1_000) + deadlineGraceS;
  const timeoutMs = typeof fault.timeoutMs === 'function' ? fault.timeoutMs(request.parameters) : (fault.timeoutMs ?? changeMs);
  const operations = request.targets.flatMap((target, index) => {
    const id = fuseId(request.step, index + 1);
    const scripts = texts.scripts({ parameters: request.parameters, target, id, request });
    return operationsOn(target, scripts, { id, deadlineS, boot: fault.reboot === 'kept', timeoutMs });
  });
  return {
    hosts: request.targets.map((target) => target.id),
    operations,
    notes: notesOf(fault, texts, request, deadlineS),
  } satisfies FaultPlan;
}

function notesOf<Parameters>(
  fault: HostFault<Parameters>,
  texts: HostFaultTexts<Parameters>,
  request: FaultRequest<Parameters>,
  deadlineS: number,
): string[] {
  const boot =
    fault.reboot === 'kept' ? 'a reboot keeps the fault: the fuse reverts it at boot where there is systemd' : 'a reboot clears the fault';
  return [
    `Each target reverts by itself when it hears nothing from the runner for ${leaseS} s, at once when the connection closes, and after ${deadlineS} s in any case; ${boot}.`,
    ...(texts.notes?.(request.parameters) ?? []),
  ];
}

interface Fuse {
  readonly id: string;
  readonly deadlineS: number;
  readonly boot: boolean;
  readonly timeoutMs: number;
}

function operationsOn({ id: target }: PlannedHost, scripts: HostScripts, fuse: Fuse): Operation[] {
  const { id, deadlineS, boot, timeoutMs } = fuse;
  const prelude = preludeOf(id);
  const base = { target, via: 'shell', privileged: true, changes: false } as const;
  const undo = scripts.undoInWords ?? scripts.undo;
  return [
    {
      ...base,
      id: `fuses-${target}`,
      stage: 'prepare',
      purpose: 'see that no other run has a fault here',
      text: listText(),
      timeoutMs: readMs,
    },
    {
      ...base,
      id: `look-${target}`,
      stage: 'prepare',
      purpose: 'read the state to restore',
      text: prelude + scripts.look,
      timeoutMs: readMs,
    },
    {
      ...base,
      id: `arm-${target}`,
      stage: 'inject',
      purpose: 'arm the fuse: from here on the target can undo it alone',
      text: armText(id, { leaseS, deadlineS, boot }),
      changes: true,
      undo: 'the fuse is removed once the target was seen clean',
      timeoutMs: changeMs,
      fuse: { does: 'arm', leaseS, deadlineS },
    },
    {
      ...base,
      id: `hold-${target}`,
      stage: 'inject',
      purpose: 'renew the lease every 3 s',
      text: holdText(id),
      timeoutMs: (deadlineS + deadlineGraceS) * 1_000,
    },
    {
      ...base,
      id: `inject-${target}`,
      stage: 'inject',
      purpose: 'inject',
      text: injectText(id, prelude + scripts.inject),
      changes: true,
      undo,
      timeoutMs,
    },
    { ...base, id: `verify-${target}`, stage: 'verify', purpose: 'see that it is in effect', text: prelude + scripts.verify, timeoutMs },
    {
      ...base,
      id: `pull-${target}`,
      stage: 'revert',
      purpose: 'let the fuse revert now, and see that nothing is left',
      text: pullText(id),
      changes: true,
      timeoutMs: Math.max(pullMs, timeoutMs + changeMs),
      fuse: { does: 'pull' },
    },
    {
      ...base,
      id: `undo-${target}`,
      stage: 'revert',
      purpose: 'what the fuse runs; sent by the runner where there is no fuse',
      text: prelude + scripts.undo,
      when: 'the fuse is gone or could not revert',
      changes: true,
      timeoutMs: Math.max(changeMs, timeoutMs),
      fuse: { does: 'undo' },
    },
    {
      ...base,
      id: `check-${target}`,
      stage: 'verify-reverted',
      purpose: 'see that nothing is left',
      text: prelude + scripts.check,
      when: 'the fuse had reverted before, is gone or could not',
      timeoutMs: readMs,
    },
    {
      ...base,
      id: `forget-${target}`,
      stage: 'verify-reverted',
      purpose: 'remove the fuse',
      text: forgetText(id),
      changes: true,
      timeoutMs: changeMs,
    },
  ];
}
