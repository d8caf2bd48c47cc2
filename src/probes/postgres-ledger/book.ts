/** What became of each write: noted as the answers come in, compared in the end with what the survivor holds. Pure. */
import type { LedgerResult, Sample } from '../contract.ts';

const acknowledged = 1;
const present = 2;

export type BookResult = Omit<LedgerResult, 'probe' | 'survivor'>;

export class WriteBook {
  /** Index is the number of the write. */
  readonly #due: number[] = [];
  readonly #state: number[] = [];
  #firstDue: number | undefined;
  #lastEnd = 0;
  #lastAck: number | undefined;
  #lastFailure: number | undefined;
  #gap = { from: 0, ms: 0 };

  /** Takes samples in the order they were complete; each write once. */
  add(seq: number, { due, end, ok }: Pick<Sample, 'due' | 'end' | 'ok'>): void {
    this.#due[seq] = due;
    this.#state[seq] = ok ? acknowledged : 0;
    this.#firstDue = Math.min(due, this.#firstDue ?? due);
    this.#lastEnd = Math.max(end, this.#lastEnd);
    if (!ok) {
      this.#lastFailure = Math.max(end, this.#lastFailure ?? end);
      return;
    }
    if (this.#lastAck !== undefined) this.#gap = longer(this.#gap, this.#lastAck, end);
    this.#lastAck = Math.max(end, this.#lastAck ?? end);
  }

  /** Notes that the survivor has the write. */
  found(seq: number): void {
    if (this.#state[seq] !== undefined) this.#state[seq] |= present;
  }

  /** End of the last write without an acknowledgement, run time in ms. */
  get lastFailure(): number | undefined {
    return this.#lastFailure;
  }

  result(): BookResult {
    const counts = { durable: 0, lost: 0, indeterminate: 0, rejected: 0 };
    let lostWindow: { from: number; to: number } | undefined;
    for (const [seq, state] of this.#state.entries()) {
      const became = classes[state] ?? 'rejected';
      counts[became]++;
      if (became !== 'lost') continue;
      const due = this.#due[seq] ?? 0;
      lostWindow = { from: lostWindow?.from ?? due, to: due };
    }
    return { writes: this.#state.length, ...counts, ...(lostWindow === undefined ? {} : { lostWindow }), longestGap: this.#longestGap() };
  }

  /** Writes that went unanswered to the very end are a gap as well: it was at least that long. */
  #longestGap(): { from: number; ms: number } {
    return longer(this.#gap, this.#lastAck ?? this.#firstDue ?? 0, this.#lastEnd);
  }
}

/** By the two bits of a write's state. */
const classes = ['rejected', 'lost', 'indeterminate', 'durable'] as const;

function longer(gap: { from: number; ms: number }, from: number, to: number): { from: number; ms: number } {
  return to - from > gap.ms ? { from, ms: to - from } : gap;
}
