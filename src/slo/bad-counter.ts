/** Counts bad samples as they come: the first moment at which too many of the last ones were bad, or too many in a row failed. Pure. */

/** Of one sample: `bad` is failed or too slow. */
export interface Judged {
  readonly bad: boolean;
  readonly failed: boolean;
}

export interface CounterLimits {
  /** So many bad ones among the last `of` are too many; absent: they are not counted. */
  readonly bad?: number | undefined;
  readonly of: number;
  /** So many failures one after the other are too many. */
  readonly consecutive: number;
}

export interface Tripped {
  readonly rule: 'count' | 'consecutive';
  /** How many were bad (`count`) or failed (`consecutive`)… */
  readonly bad: number;
  /** …of the last how many: fewer than the rule's `of` while not so many have come yet. */
  readonly of: number;
}

/**
 * A row counts failures only, not what was slow: one pause of a second makes every request due in it slow, and is a single event. What is
 * slow again and again is found by the count.
 */
export class BadCounter {
  readonly #limits: CounterLimits;
  /** The last samples, oldest overwritten first. */
  readonly #last: boolean[] = [];
  #next = 0;
  #bad = 0;
  #row = 0;

  constructor(limits: CounterLimits) {
    this.#limits = limits;
  }

  /** Takes the next sample; says what it was too many for. */
  add({ bad, failed }: Judged): Tripped | undefined {
    const { of, consecutive } = this.#limits;
    if (this.#last[this.#next] === true) this.#bad--;
    this.#last[this.#next] = bad;
    this.#next = (this.#next + 1) % of;
    if (bad) this.#bad++;
    this.#row = failed ? this.#row + 1 : 0;
    if (this.#row >= consecutive) return { rule: 'consecutive', bad: this.#row, of: this.#row };
    if (this.#limits.bad !== undefined && this.#bad >= this.#limits.bad) return { rule: 'count', bad: this.#bad, of: this.#last.length };
    return undefined;
  }

  /** Bad ones among the last `of`. */
  get bad(): number {
    return this.#bad;
  }

  /** Failures that came last, one after the other. */
  get row(): number {
    return this.#row;
  }
}
