/** The samples of the last `windowMs` by the time they ended, kept ready for questions: memory is what one window holds. Pure. */

export interface WindowSample {
  readonly due: number;
  readonly end: number;
  readonly ok: boolean;
  /** What was read, of probes that read a number. */
  readonly value?: number | undefined;
}

/** Removed entries stay at the front of the list until there are this many of them. */
const compactAfter = 1_024;

export class SlidingWindow {
  readonly #windowMs: number;
  readonly #amountOf: (sample: WindowSample) => number;
  /** By end, ascending; those before `#head` are out of the window. */
  #samples: WindowSample[] = [];
  #head = 0;
  /** Amounts of those in the window, ascending. */
  readonly #amounts: number[] = [];
  #failed = 0;
  /** The latest moment that was asked about or that a sample ended. */
  #now = Number.NEGATIVE_INFINITY;

  /** `amountOf`: what is kept in order of each sample, its latency for example; always the same for the same sample. */
  constructor(windowMs: number, amountOf: (sample: WindowSample) => number) {
    this.#windowMs = windowMs;
    this.#amountOf = amountOf;
  }

  /** Takes a sample; mostly they come in the order they end, and need not. */
  add(sample: WindowSample): void {
    this.moveTo(sample.end);
    if (sample.end < this.#now - this.#windowMs) return;
    let index = this.#samples.length;
    while (index > this.#head && (this.#samples[index - 1]?.end ?? 0) > sample.end) index--;
    this.#samples.splice(index, 0, sample);
    const amount = this.#amountOf(sample);
    this.#amounts.splice(firstNotBelow(this.#amounts, amount), 0, amount);
    if (!sample.ok) this.#failed++;
  }

  /** Forgets what ended more than the window before `now`. Time does not go back: an earlier `now` changes nothing. */
  moveTo(now: number): void {
    this.#now = Math.max(this.#now, now);
    const oldest = this.#now - this.#windowMs;
    for (let sample = this.#samples[this.#head]; sample !== undefined && sample.end < oldest; sample = this.#samples[this.#head]) {
      this.#head++;
      this.#amounts.splice(firstNotBelow(this.#amounts, this.#amountOf(sample)), 1);
      if (!sample.ok) this.#failed--;
    }
    if (this.#head < compactAfter && this.#head < this.#samples.length) return;
    this.#samples = this.#samples.slice(this.#head);
    this.#head = 0;
  }

  get size(): number {
    return this.#samples.length - this.#head;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Ascending. */
  get amounts(): readonly number[] {
    return this.#amounts;
  }

  /** The one that ended last. */
  get last(): WindowSample | undefined {
    return this.size === 0 ? undefined : this.#samples.at(-1);
  }
}

/** Index of the first of `sorted` that is not below `value`. */
function firstNotBelow(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
