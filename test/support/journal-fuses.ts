/** The journal of a fault with a fuse on two targets: one link was cut, and that target reverted alone. */
import type { EventBody, JournalEvent } from '../../src/journal/events.ts';
import type { FaultStep, Operation, Plan } from '../../src/plan/plan.ts';
import { JournalBuilder } from './journal-builder.ts';
import { cpuPlan } from './journal-plan.ts';

const targets = ['web-1', 'web-2'] as const;

function operationsOn(target: string): Operation[] {
  const base = { target, via: 'shell', changes: true, timeoutMs: 60_000 } as const;
  return [
    {
      ...base,
      id: `arm-${target}`,
      stage: 'inject',
      purpose: 'arm the fuse',
      text: 'arm',
      fuse: { does: 'arm', leaseS: 15, deadlineS: 90 },
    },
    { ...base, id: `pull-${target}`, stage: 'revert', purpose: 'let the fuse revert now', text: 'pull', fuse: { does: 'pull' } },
    { ...base, id: `undo-${target}`, stage: 'revert', purpose: 'undo without the fuse', text: 'undo', fuse: { does: 'undo' } },
  ];
}

const step: FaultStep = {
  kind: 'fault',
  id: 's1',
  fault: 'cpu-saturation',
  title: 'CPU saturation',
  targets: [...targets],
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: {},
  operations: targets.flatMap(operationsOn),
  expectations: [],
  durationMs: 30_000,
  notes: [],
};

const plan: Plan = { ...cpuPlan, hosts: [], slos: [], probes: [], steps: [step] };

/** What became of one operation: the answer, or `lost` when the connection broke. */
export interface Answered {
  readonly t: number;
  readonly operation: string;
  readonly detail: string;
  readonly lost?: boolean;
}

function pair({ t, operation, detail, lost = false }: Answered): EventBody[] {
  const target = operation.replace(/^[a-z]+-/, '');
  return [
    { type: 'operation.running', step: 's1', operation, target, via: 'shell', text: operation, changes: true },
    { type: 'operation.finished', step: 's1', operation, ok: !lost, ms: 100 + (t % 7), detail },
  ];
}

/** Both fuses armed at 1 s, then what `answers` says; `recoveredT` is when another process took over. */
export function fuseJournal(answers: readonly Answered[], recoveredT?: number): JournalEvent[] {
  const journal = new JournalBuilder()
    .at(0, { type: 'run.started', run: 'f5u2se', plan, version: '0.1.0', operator: 'mira', machine: 'ops-laptop', pid: 4_242 })
    .at(900, { type: 'fault.injecting', step: 's1', undo: { targets: [] } });
  for (const target of targets) journal.at(1_000, ...pair({ t: 1_000, operation: `arm-${target}`, detail: 'armed' }));
  if (recoveredT !== undefined) journal.at(recoveredT, { type: 'recover.started', pid: 5_151, operator: 'jon' });
  for (const answer of answers) journal.at(answer.t, ...pair(answer));
  return journal.build();
}

export function revertedByItself(): JournalEvent[] {
  const events = fuseJournal([
    { t: 30_000, operation: 'pull-web-1', detail: 'already reverted: no sign of life for 15 s' },
    { t: 30_100, operation: 'pull-web-2', detail: 'reverted: it was asked to' },
  ]);
  const ending = new JournalBuilder()
    .at(31_000, {
      type: 'fault.reverted',
      step: 's1',
      clean: true,
      evidence: ['web-1: no load', 'web-2: no load'],
      findings: [],
      measures: {},
    })
    .at(31_010, { type: 'rollback.finished', state: 'clean' })
    .build();
  return [...events, ...ending.map((event) => ({ ...event, seq: event.seq + events.length }))];
}
