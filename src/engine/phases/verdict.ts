/** Puts together what was promised and what was seen, clause by clause, and lets the pure rules of `slo/` judge it. */
import { describeAbort } from '../../core/abort.ts';
import { formatDuration, formatQuantity, satisfies } from '../../core/units.ts';
import type { Clause } from '../../journal/events.ts';
import { tolerant } from '../../journal/writer.ts';
import type { Expectation, FaultStep } from '../../plan/plan.ts';
import { decideVerdict, exitCode } from '../../slo/verdict.ts';
import { outcomeOf, type RunContext } from '../context.ts';
import type { RunResult } from '../run.ts';
import { worse } from './rollback.ts';

/** So much of the method may pass unobserved until no SLO can be said to have held. */
const mostUnobserved = 0.1;

export async function verdict(context: RunContext): Promise<RunResult> {
  const { parts, state } = context;
  parts.control.phase = 'verdict';
  const record = tolerant(parts.record, () => undefined);
  await record({ type: 'phase.entered', phase: 'verdict' });
  const outcome = outcomeOf(context);
  // Whatever went wrong on the way here: a fault that nobody reverted is never clean.
  const rollback = state.active.length > 0 ? worse(state.rollback, 'unknown') : state.rollback;
  const clauses = [...sloClauses(context), ...expectationClauses(context), ...recoveryClause(context)];
  const decided = decideVerdict({
    outcome,
    effective: state.effective,
    clauses,
    rollback,
    ...(parts.control.reason === undefined ? {} : { reason: parts.control.reason }),
  });
  const because = state.refused ?? state.failure?.detail ?? decided.because;
  const result = { outcome, verdict: decided.verdict, rollback };
  await record({ type: 'verdict.reached', ...result, clauses, because });
  const code = exitCode({
    ...result,
    ...(state.steadyBefore === undefined ? {} : { steadyBefore: state.steadyBefore }),
    ...(parts.control.reason === undefined ? {} : { reason: parts.control.reason }),
  });
  await record({ type: 'run.finished', exitCode: code });
  return { ...result, exitCode: code };
}

function injected({ state }: RunContext): boolean {
  return state.active.length + state.reverted.length > 0;
}

function sloClauses(context: RunContext): Clause[] {
  // Under announced impact from the injection to the end there is nothing to judge; the recovery clause speaks for such an SLO.
  const judged = context.monitor.slos.filter((watched) => !injected(context) || watched.worst === undefined || watched.judged);
  return judged.map((watched): Clause => {
    const { slo, worst, broke, last } = watched;
    const limit = (slo.severe ?? slo.fatal ?? slo.warning)?.text ?? '';
    const base = { kind: 'slo', name: slo.name, expected: `never ${limit} outside the announced impact` } as const;
    if (!injected(context) || worst === undefined) return { ...base, observed: 'not measured', result: 'unknown' };
    const { reason } = context.parts.control;
    const observed = `worst ${formatQuantity(worst.value, slo.unit)}, at the end ${last.value === undefined ? 'no data' : formatQuantity(last.value, slo.unit)}`;
    if (reason?.kind === 'samples' && reason.slo === slo.name) {
      const expected = `${base.expected}, nor the abort rule`;
      return { ...base, expected, observed: `${describeAbort(reason)}; ${observed}`, result: 'refuted', samples: worst.samples };
    }
    const unobserved = context.monitor.health.unobserved;
    if (broke === undefined && (watched.unvouched || unobserved > mostUnobserved)) {
      const share = formatQuantity(unobserved, 'ratio');
      return {
        ...base,
        observed: `${observed}; not known all the time: the prober itself stood still for ${share} of it`,
        result: 'unknown',
      };
    }
    return { ...base, observed, result: broke === undefined ? 'held' : 'refuted', samples: worst.samples };
  });
}

function expectationClauses(context: RunContext): Clause[] {
  return context.parts.plan.steps.flatMap((step) =>
    step.kind === 'fault' ? step.expectations.map((expectation) => expectationClause(context, step, expectation)) : [],
  );
}

function expectationClause(context: RunContext, step: FaultStep, expectation: Expectation): Clause {
  const base = { kind: 'expect', name: expectation.measure, expected: expectation.comparison.text } as const;
  const measured = measure(context, step, expectation);
  if (measured === undefined) return { ...base, observed: 'not measured', result: 'unknown' };
  const result = satisfies(expectation.comparison, measured.value) ? 'held' : 'refuted';
  const observed = formatQuantity(measured.value, expectation.unit);
  return { ...base, observed, result, ...(measured.samples === undefined ? {} : { samples: measured.samples }) };
}

function measure({ state }: RunContext, step: FaultStep, expectation: Expectation): { value: number; samples?: number } | undefined {
  if (expectation.source === 'fault') {
    const value = state.measures.get(step.id)?.[expectation.measure];
    return value === undefined ? undefined : { value };
  }
  const ledger = state.ledgers.find((result) => result.probe === expectation.source);
  if (ledger === undefined || ledger.writes === 0 || ledger.durable + ledger.lost === 0) return undefined;
  switch (expectation.measure) {
    case 'lostWrites':
      return { value: ledger.lost, samples: ledger.writes };
    case 'writeDowntime':
      return { value: ledger.longestGap.ms, samples: ledger.writes };
    default:
      return undefined;
  }
}

function recoveryClause(context: RunContext): Clause[] {
  const { state, parts } = context;
  const { withinMs, holdMs } = parts.plan.steadyState.recovery;
  if (parts.plan.slos.length === 0) return [];
  const base = {
    kind: 'recovery',
    name: 'recovery',
    expected: `SLOs back within ${formatDuration(withinMs)}, held ${formatDuration(holdMs)}`,
  } as const;
  const { recovered } = state;
  if (recovered === undefined) return [{ ...base, observed: 'not measured', result: 'unknown' }];
  if ('sinceMs' in recovered)
    return [
      { ...base, observed: recovered.sinceMs === 0 ? 'never left' : `back after ${formatDuration(recovered.sinceMs)}`, result: 'held' },
    ];
  const skipped = recovered.failed.startsWith('not waited for');
  return [{ ...base, observed: recovered.failed, result: skipped ? 'unknown' : 'refuted' }];
}
