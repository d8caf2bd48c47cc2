/** Why a run was stopped early. The reason is set before anything acts on it, and the first one wins. */
import { assertNever } from './assert-never.ts';
import { formatDuration, formatQuantity, type Unit } from './units.ts';

export type AbortReason =
  | {
      readonly kind: 'slo';
      readonly slo: string;
      /** In the SLO's unit. */
      readonly value: number;
      readonly unit: Unit;
      readonly threshold: string;
      readonly samples: number;
    }
  | {
      /** The abort rule: too many bad samples among the last, or too many failures in a row. */
      readonly kind: 'samples';
      readonly probe: string;
      readonly slo: string;
      readonly rule: 'count' | 'consecutive';
      /** So many were bad… */
      readonly bad: number;
      /** …of the last so many. */
      readonly of: number;
      /** What took longer counts as bad; absent: only failures do. */
      readonly limitMs?: number | undefined;
    }
  | { readonly kind: 'silence'; readonly probe: string; readonly silentMs: number }
  | { readonly kind: 'operator'; readonly by: string }
  | { readonly kind: 'target-lost'; readonly target: string; readonly detail: string }
  | { readonly kind: 'deadline'; readonly limitMs: number }
  | { readonly kind: 'fault'; readonly fault: string; readonly detail: string }
  | { readonly kind: 'guard'; readonly guard: string; readonly detail: string }
  | { readonly kind: 'journal'; readonly detail: string }
  /** A defect of the runner itself. */
  | { readonly kind: 'internal'; readonly detail: string };

/** Carried as the `reason` of the run's abort signal. */
export class RunAborted extends Error {
  override readonly name = 'RunAborted';
  readonly reason: AbortReason;
  constructor(reason: AbortReason) {
    super(describeAbort(reason));
    this.reason = reason;
  }
}

/** One sentence for people, with the numbers that triggered it. */
export function describeAbort(reason: AbortReason): string {
  switch (reason.kind) {
    case 'slo':
      return `SLO ${reason.slo} reached its fatal level: ${formatQuantity(reason.value, reason.unit)} (limit ${reason.threshold}, ${reason.samples} samples)`;
    case 'samples':
      return `${describeSamples(reason)} (SLO ${reason.slo})`;
    case 'silence':
      return `probe ${reason.probe} gave no sample for ${formatDuration(reason.silentMs)}`;
    case 'operator':
      return `stopped by ${reason.by}`;
    case 'target-lost':
      return `connection to ${reason.target} lost: ${reason.detail}`;
    case 'deadline':
      return `the run's time limit of ${formatDuration(reason.limitMs)} passed`;
    case 'fault':
      return `fault ${reason.fault}: ${reason.detail}`;
    case 'guard':
      return `guard ${reason.guard}: ${reason.detail}`;
    case 'journal':
      return `the journal cannot be written: ${reason.detail}`;
    case 'internal':
      return `the runner itself failed: ${reason.detail}`;
    default:
      return assertNever(reason);
  }
}

function describeSamples({ probe, rule, bad, of, limitMs }: Extract<AbortReason, { kind: 'samples' }>): string {
  if (rule === 'consecutive') return `probe ${probe}: ${bad} samples in a row failed`;
  const slow = limitMs === undefined ? '' : ` or took longer than ${formatDuration(limitMs)}`;
  return `probe ${probe}: ${bad} of the last ${of} samples failed${slow}`;
}
