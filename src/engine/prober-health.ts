/** What the prober could not vouch for, because it stood still itself: for how long lately, and for how much of the method. */
import { formatDuration } from '../core/units.ts';
import type { InvalidStretch } from '../probes/sampling/contract.ts';

/** So much that the prober cannot vouch for, within so long, makes a run worthless. */
const mostInvalidMs = 10_000;
const invalidWithinMs = 30_000;

export class ProberHealth {
  #lately: InvalidStretch[] = [];
  #unobservedMs = 0;
  /** Run time, ms. */
  #method: { readonly from: number; to: number } | undefined;

  /** The method runs, at `time` (run time, ms). */
  inMethod(time: number): void {
    this.#method = { from: this.#method?.from ?? time, to: time };
  }

  /** Gives why the run cannot prove anything any more, once that is so. */
  discount(stretch: InvalidStretch): string | undefined {
    this.#lately = [...this.#lately.filter(({ to }) => to > stretch.to - invalidWithinMs), stretch];
    if (this.#method !== undefined && stretch.from <= this.#method.to) this.#unobservedMs += stretch.ms;
    const ms = this.#lately.reduce((sum, one) => sum + one.ms, 0);
    if (ms <= mostInvalidMs) return undefined;
    return `the prober could not vouch for ${formatDuration(ms)} of what it measured, lately because ${stretch.detail}`;
  }

  /** How much of the time of the method nobody looked at the target: 0 to 1. */
  get unobserved(): number {
    return this.#method === undefined ? 0 : this.#unobservedMs / Math.max(1, this.#method.to - this.#method.from);
  }
}
