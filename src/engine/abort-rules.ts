/** The abort rule at work: remembers what the baseline was like, is fitted to it, and then stops the run at the sample that is one too many. */

import { setImmediate } from 'node:timers/promises';
import type { CalibratedRule } from '../journal/events.ts';
import type { PlannedSlo } from '../plan/plan.ts';
import type { Sample } from '../probes/contract.ts';
import { abortRuleOf, judge, type SloAbortRule } from '../slo/abort-rule.ts';
import { BadCounter, type Judged } from '../slo/bad-counter.ts';
import { allowedFalseAborts, type Calibration, calibration } from '../slo/calibrate.ts';
import type { RunParts } from './context.ts';

interface Watch {
  readonly slo: PlannedSlo;
  readonly rule: SloAbortRule;
  readonly baseline: (Judged & Pick<Sample, 'due'>)[];
  counter?: BadCounter;
}

/** A method without waits still takes some time to inject and verify. */
const shortestMethodMs = 10_000;

export class AbortRules {
  readonly #parts: RunParts;
  /** By SLO; empty when the rule is off. */
  readonly #watches = new Map<string, Watch>();

  constructor(parts: RunParts) {
    this.#parts = parts;
    const { abort = 'off', slos } = parts.plan;
    for (const slo of slos) {
      const rule = abort === 'off' ? undefined : abortRuleOf(slo, abort);
      if (rule !== undefined) this.#watches.set(slo.name, { slo, rule, baseline: [] });
    }
  }

  /** Takes a sample of the SLO's probe. What began before `impactUntil` (run time, ms) is announced impact and does not count. */
  take(slo: string, sample: Sample, impactUntil: number): void {
    const watch = this.#watches.get(slo);
    if (watch === undefined) return;
    const { control } = this.#parts;
    const judged = judge(sample, watch.rule);
    if (judged === undefined) return;
    if (control.phase === 'baseline') watch.baseline.push({ ...judged, due: sample.due });
    if (control.phase !== 'method' || sample.due < impactUntil) return;
    const tripped = watch.counter?.add(judged);
    if (tripped === undefined) return;
    const { limitMs } = watch.rule;
    control.stop({ kind: 'samples', probe: watch.slo.probe, slo, ...tripped, ...(limitMs === undefined ? {} : { limitMs }) });
  }

  /** Fits the rules to the samples since `from` (run time, ms), which took `tookMs`. Gives what makes that impossible, for people. */
  async calibrate(from: number, tookMs: number): Promise<string[]> {
    const rules: CalibratedRule[] = [];
    const problems: string[] = [];
    const allowed = allowedFalseAborts / this.#watches.size;
    for (const watch of this.#watches.values()) {
      const baseline = watch.baseline.filter(({ due }) => due >= from && due < from + tookMs);
      const planned = Math.round((baseline.length * plannedMs(this.#parts.plan)) / tookMs);
      const fitted = await inTurns(calibration({ slo: watch.slo, rule: watch.rule, baseline, planned, allowed }));
      if ('problem' in fitted) {
        problems.push(fitted.problem);
        continue;
      }
      rules.push(fitted.rule);
      watch.counter = new BadCounter(fitted.rule);
    }
    if (problems.length > 0) return problems;
    if (rules.length > 0) await this.#parts.record({ type: 'abort.calibrated', rules });
    return [];
  }
}

/** The probes take their samples between two steps of the arithmetic: what it kept waiting would look like a slow target. */
async function inTurns(steps: Generator<undefined, Calibration>): Promise<Calibration> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await setImmediate();
  }
}

/** How long the method takes at least. */
function plannedMs({ steps }: RunParts['plan']): number {
  const held = steps.reduce((sum, step) => sum + (step.kind === 'wait' ? step.forMs : (step.durationMs ?? 0)), 0);
  return Math.max(held, shortestMethodMs);
}
