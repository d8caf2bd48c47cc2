/**
 * The events of a run: what the journal holds, one JSON object a line. Names are past tense; a recorded intent ends in -ing and is on
 * disk before the act. Reports, status, recovery and the live view are folds over these and nothing else.
 */
import * as z from 'zod';
import { JsonObject } from '../core/json.ts';
import { GuardAnswer, Plan } from '../plan/plan.ts';
import { LedgerResult, Sample } from '../probes/contract.ts';

const Ms = z.number();
const Unit = z.enum(['duration', 'ratio', 'count']);

export const phases = ['prepare', 'baseline', 'method', 'rollback', 'recovery', 'verdict'] as const;
export const Phase = z.enum(phases);
export type Phase = z.infer<typeof Phase>;

export const Outcome = z.enum(['completed', 'aborted', 'halted', 'errored', 'refused']);
export type Outcome = z.infer<typeof Outcome>;
export const Verdict = z.enum(['held', 'refuted', 'inconclusive', 'not-tested']);
export type Verdict = z.infer<typeof Verdict>;
export const RollbackState = z.enum(['clean', 'incomplete', 'unknown']);
export type RollbackState = z.infer<typeof RollbackState>;

export const AbortReason = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('slo'), slo: z.string(), value: z.number(), unit: Unit, threshold: z.string(), samples: z.int() }),
  z.strictObject({
    kind: z.literal('samples'),
    probe: z.string(),
    slo: z.string(),
    rule: z.enum(['count', 'consecutive']),
    bad: z.int(),
    of: z.int(),
    limitMs: Ms.optional(),
  }),
  z.strictObject({ kind: z.literal('silence'), probe: z.string(), silentMs: Ms }),
  z.strictObject({ kind: z.literal('operator'), by: z.string() }),
  z.strictObject({ kind: z.literal('target-lost'), target: z.string(), detail: z.string() }),
  z.strictObject({ kind: z.literal('deadline'), limitMs: Ms }),
  z.strictObject({ kind: z.literal('fault'), fault: z.string(), detail: z.string() }),
  z.strictObject({ kind: z.literal('guard'), guard: z.string(), detail: z.string() }),
  z.strictObject({ kind: z.literal('journal'), detail: z.string() }),
  z.strictObject({ kind: z.literal('internal'), detail: z.string() }),
]);

/** One clause of the hypothesis with what was seen. */
export const Clause = z.strictObject({
  /** `slo`, `expect`, `recovery`. */
  kind: z.enum(['slo', 'expect', 'recovery']),
  name: z.string(),
  expected: z.string(),
  observed: z.string(),
  result: z.enum(['held', 'refuted', 'unknown']),
  /** Number of samples behind it, where that means something. */
  samples: z.int().optional(),
});
export type Clause = z.infer<typeof Clause>;

/** The abort rule as it holds for one SLO, fitted to what the baseline was like. */
export const CalibratedRule = z.strictObject({
  slo: z.string(),
  probe: z.string(),
  /** A sample that takes longer is bad; absent: only failures are. */
  limitMs: Ms.optional(),
  /** So many bad ones of the last `of` stop the run; absent: the SLO tolerates too many for a count. */
  bad: z.int().optional(),
  of: z.int(),
  consecutive: z.int(),
  /** What was seen before anything was injected. */
  baseline: z.strictObject({ samples: z.int(), bad: z.int() }),
  /** Samples that the method was planned to take. */
  planned: z.int(),
  /** Expected share of such runs that it stops without any effect, 0–1. */
  falseAborts: z.number(),
});
export type CalibratedRule = z.infer<typeof CalibratedRule>;

const Measures = z.record(z.string(), z.number());

const Body = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('run.started'),
    run: z.string(),
    plan: Plan,
    version: z.string(),
    operator: z.string(),
    machine: z.string(),
    pid: z.int(),
    /** Set when the lab was started for this run alone. */
    lab: z.strictObject({ id: z.string(), owned: z.boolean() }).optional(),
  }),
  z.strictObject({ type: z.literal('phase.entered'), phase: Phase }),
  z.strictObject({ type: z.literal('target.connected'), target: z.string(), ms: Ms }),
  z.strictObject({ type: z.literal('target.lost'), target: z.string(), detail: z.string() }),
  z.strictObject({ type: z.literal('guard.answered'), answer: GuardAnswer }),
  z.strictObject({ type: z.literal('probe.started'), probe: z.string() }),
  /** Batches; the times inside are the samples' own. */
  z.strictObject({ type: z.literal('probe.sampled'), probe: z.string(), samples: z.array(Sample) }),
  /** Run time in which the prober itself stood still or was at its own end; the samples in it carry `own`. */
  z.strictObject({
    type: z.literal('prober.invalid'),
    from: Ms,
    to: Ms,
    ms: Ms,
    cause: z.enum(['stalled', 'busy', 'loopback']),
    detail: z.string(),
  }),
  /** An SLO's value over its window, a few times a second at most. `value` is absent while there is no data. */
  z.strictObject({
    type: z.literal('slo.measured'),
    slo: z.string(),
    value: z.number().optional(),
    samples: z.int(),
    level: z.enum(['ok', 'warning', 'severe', 'fatal', 'no-data']),
  }),
  z.strictObject({
    type: z.literal('slo.breached'),
    slo: z.string(),
    level: z.enum(['warning', 'severe', 'fatal']),
    value: z.number(),
    threshold: z.string(),
    samples: z.int(),
    expected: z.boolean(),
  }),
  z.strictObject({ type: z.literal('slo.cleared'), slo: z.string(), value: z.number() }),
  z.strictObject({ type: z.literal('baseline.held'), ms: Ms }),
  z.strictObject({ type: z.literal('baseline.failed'), detail: z.string() }),
  /** One rule an SLO that can stop the run. */
  z.strictObject({ type: z.literal('abort.calibrated'), rules: z.array(CalibratedRule) }),
  z.strictObject({ type: z.literal('fault.prepared'), step: z.string(), undo: JsonObject }),
  /** On disk before the first change. From here on the fault must be reverted. */
  z.strictObject({ type: z.literal('fault.injecting'), step: z.string(), undo: JsonObject }),
  z.strictObject({
    type: z.literal('operation.running'),
    step: z.string(),
    operation: z.string(),
    target: z.string(),
    via: z.string(),
    text: z.string(),
    changes: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('operation.finished'),
    step: z.string(),
    operation: z.string(),
    ok: z.boolean(),
    ms: Ms,
    detail: z.string(),
  }),
  z.strictObject({ type: z.literal('fault.marked'), step: z.string(), mark: z.string(), data: JsonObject, pointOfNoReturn: z.boolean() }),
  z.strictObject({ type: z.literal('fault.injected'), step: z.string() }),
  z.strictObject({
    type: z.literal('fault.verified'),
    step: z.string(),
    effective: z.boolean(),
    evidence: z.array(z.string()),
    measures: Measures,
  }),
  /** At the end of its time it was not in effect any more: somebody or something took it away. */
  z.strictObject({ type: z.literal('fault.lapsed'), step: z.string(), evidence: z.array(z.string()) }),
  z.strictObject({ type: z.literal('fault.failed'), step: z.string(), stage: z.enum(['prepare', 'inject', 'verify']), detail: z.string() }),
  z.strictObject({ type: z.literal('step.waiting'), step: z.string(), forMs: Ms }),
  z.strictObject({ type: z.literal('abort.decided'), reason: AbortReason }),
  z.strictObject({ type: z.literal('fault.reverting'), step: z.string() }),
  z.strictObject({
    type: z.literal('fault.reverted'),
    step: z.string(),
    clean: z.boolean(),
    evidence: z.array(z.string()),
    findings: z.array(z.string()),
    measures: Measures,
  }),
  z.strictObject({ type: z.literal('fault.revert-failed'), step: z.string(), detail: z.string() }),
  z.strictObject({ type: z.literal('rollback.finished'), state: RollbackState }),
  /** `sinceMs`: from the moment recovery is counted from until the SLOs were back for good. */
  z.strictObject({ type: z.literal('recovery.held'), sinceMs: Ms }),
  z.strictObject({ type: z.literal('recovery.failed'), detail: z.string() }),
  z.strictObject({ type: z.literal('ledger.settled'), result: LedgerResult }),
  z.strictObject({ type: z.literal('ledger.unknown'), probe: z.string(), detail: z.string() }),
  z.strictObject({
    type: z.literal('verdict.reached'),
    outcome: Outcome,
    verdict: Verdict,
    rollback: RollbackState,
    clauses: z.array(Clause),
    because: z.string(),
  }),
  z.strictObject({ type: z.literal('run.refused'), detail: z.string() }),
  z.strictObject({ type: z.literal('run.errored'), code: z.string(), detail: z.string() }),
  /** Another process took over after the runner had died. */
  z.strictObject({ type: z.literal('recover.started'), pid: z.int(), operator: z.string() }),
  z.strictObject({ type: z.literal('run.finished'), exitCode: z.int() }),
]);

const Envelope = z.object({
  /** 0, 1, 2, … without gaps. */
  seq: z.int(),
  /** UTC, ISO 8601 with milliseconds; for display. */
  at: z.string(),
  /** Milliseconds since the run's start on the monotonic clock; for intervals. */
  t: Ms,
});

export type EventBody = z.infer<typeof Body>;
export const JournalEvent = z.intersection(Envelope.loose(), z.looseObject({ type: z.string() })).transform((value, context) => {
  const { seq, at, t, ...body } = value as { seq: number; at: string; t: number };
  const parsed = Body.safeParse(body);
  if (!parsed.success) {
    context.addIssue({ code: 'custom', message: z.prettifyError(parsed.error) });
    return z.NEVER;
  }
  return { seq, at, t, ...parsed.data };
});
export type JournalEvent = EventBody & { readonly seq: number; readonly at: string; readonly t: number };
export type EventType = EventBody['type'];
export type EventOf<Type extends EventType> = Extract<JournalEvent, { type: Type }>;
