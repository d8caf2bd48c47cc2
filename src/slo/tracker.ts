/**
 * Follows one SLO: samples in, its value over the sliding window and its level out. It knows nothing of probes, runs or the clock: time is
 * what it is told.
 */
import { assertNever } from '../core/assert-never.ts';
import { satisfies } from '../core/units.ts';
import type { PlannedSlo } from '../plan/plan.ts';
import type { Sample } from '../probes/contract.ts';
import { isDoubtful } from '../probes/samples.ts';
import { type Measure, nearestRank, parseMeasure } from './measures.ts';
import { SlidingWindow, type WindowSample } from './window.ts';

export type SloLevel = 'ok' | 'warning' | 'severe' | 'fatal' | 'no-data';

export interface SloMeasurement {
  /** Milliseconds, ratio 0–1 or plain, as the SLO's unit says: what is the target's for certain. `undefined` while the window is empty. */
  readonly value: number | undefined;
  /** The same with what the prober itself stood still for: the truth lies between the two, which are equal while it did not. */
  readonly atMost: number | undefined;
  /** How many are behind it. */
  readonly samples: number;
}

/**
 * Counts every sample that ended in `[now - window, now]`. Latency runs from the intended start, so a wait that the target caused is
 * seen whole; a failed sample counts with its own duration, and with `failureMs` at least. Of values only good samples count: one that could
 * not be read is nothing, and a window of nothing else has no data.
 */
export class SloTracker {
  readonly #measure: Measure;
  readonly #certain: SlidingWindow;
  readonly #possible: SlidingWindow;

  /**
   * `failureMs`: what a failed sample costs at least in a latency, usually the probe's timeout: a target that refuses at once is not fast.
   * Throws `RangeError` for a measure that does not exist; a plan has none.
   */
  constructor(slo: Pick<PlannedSlo, 'name' | 'measure' | 'windowMs'>, failureMs = 0) {
    const measure = parseMeasure(slo.measure);
    if (measure === undefined) throw new RangeError(`SLO ${slo.name}: no measure ${slo.measure}`);
    this.#measure = measure;
    const amountOf = measure.kind === 'value' ? numberOf : (sample: WindowSample) => durationOf(sample, failureMs);
    this.#certain = new SlidingWindow(slo.windowMs, amountOf);
    this.#possible = new SlidingWindow(slo.windowMs, amountOf);
  }

  /** Takes a sample of the SLO's probe as soon as it is complete. */
  add(sample: WindowSample & Pick<Sample, 'own'>): void {
    if (this.#measure.kind === 'value' && sample.value === undefined) return;
    const { due, end, ok, own = 0 } = sample;
    this.#certain.add(own === 0 ? sample : { ...sample, due: Math.min(end, due + own), ok: ok || isDoubtful(sample) });
    this.#possible.add(sample);
  }

  /** The value at `now`, run time in ms like the samples' times; `now` does not go back. */
  measure(now: number): SloMeasurement {
    return { value: this.#valueIn(this.#certain, now), atMost: this.#valueIn(this.#possible, now), samples: this.#certain.size };
  }

  #valueIn(window: SlidingWindow, now: number): number | undefined {
    window.moveTo(now);
    const { amounts, failed, size } = window;
    if (size === 0) return undefined;
    switch (this.#measure.kind) {
      case 'error-rate':
        return failed / size;
      case 'quantile':
        return nearestRank(amounts, this.#measure.thousandths);
      case 'max':
        return nearestRank(amounts, 1_000);
      case 'value':
        return valueOver(window, this.#measure.of);
      default:
        return assertNever(this.#measure);
    }
  }
}

function valueOver(window: SlidingWindow, what: 'last' | 'max' | 'min' | 'mean'): number {
  const { amounts, last } = window;
  switch (what) {
    case 'last':
      return last === undefined ? Number.NaN : numberOf(last);
    case 'max':
      return nearestRank(amounts, 1_000);
    case 'min':
      return nearestRank(amounts, 0);
    case 'mean':
      // Each time anew: in a running sum one huge value would leave its rounding behind for good.
      return amounts.reduce((sum, amount) => sum + amount / amounts.length, 0);
    default:
      return assertNever(what);
  }
}

function durationOf({ due, end, ok }: WindowSample, failureMs: number): number {
  return ok ? end - due : Math.max(end - due, failureMs);
}

function numberOf({ value = Number.NaN }: WindowSample): number {
  return value;
}

type Levels = Pick<PlannedSlo, 'warning' | 'severe' | 'fatal'>;

/**
 * The highest level whose threshold the value has crossed. `no-data` also where nobody knows whether the SLO holds, because that depends on what
 * the prober itself stood still for.
 */
export function levelOf(slo: Levels, { value, atMost }: Pick<SloMeasurement, 'value' | 'atMost'>): SloLevel {
  const [certain, possible] = [crossed(slo, value), crossed(slo, atMost)];
  return steady(certain) === steady(possible) ? certain : 'no-data';
}

function crossed(slo: Levels, value: number | undefined): SloLevel {
  if (value === undefined) return 'no-data';
  for (const level of ['fatal', 'severe', 'warning'] as const) {
    const threshold = slo[level];
    if (threshold !== undefined && satisfies(threshold, value)) return level;
  }
  return 'ok';
}

/**
 * Does the SLO hold? Not at its severe or fatal level, and there is data: what cannot be measured is never steady. `warning` only
 * notifies, so an SLO that declares nothing else never breaks the steady state.
 */
export function steady(level: SloLevel): boolean {
  switch (level) {
    case 'ok':
    case 'warning':
      return true;
    case 'severe':
    case 'fatal':
    case 'no-data':
      return false;
    default:
      return assertNever(level);
  }
}
