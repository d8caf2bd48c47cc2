/** How much of each sample was the prober's own doing: what it stood still for. Pure. */
import type { Sample } from '../contract.ts';
import type { InvalidStretch } from './contract.ts';
import type { Beat } from './heartbeat.ts';

/** Shorter stalls only delay samples, which each sample says itself; longer ones are time in which nobody looked at the target, ms. */
const blindMs = 100;
/** Stretches closer than this are told as one, ms, up to a length. */
const joinMs = 250;
const mostJoinedMs = 5_000;

type Cause = InvalidStretch['cause'];

/**
 * Holds samples back until the next beat: only then is it known whether the loop stood still while they ended. `longestMs` of all probes:
 * how far back a sample may begin.
 */
export class Voucher {
  readonly #longestMs: number;
  #stalls: { readonly from: number; readonly to: number }[] = [];
  /** Stretch by cause, not over yet. */
  readonly #open = new Map<Cause, InvalidStretch>();
  #loopback: { readonly from: number; readonly problem: string } | undefined;

  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** `problem`: the control probe has failed; `undefined`: it is well again. */
  loopback(problem: string | undefined, now: number): void {
    if (this.#loopback !== undefined) this.#extend('loopback', this.#loopback.from, now, this.#loopback.problem);
    this.#loopback = problem === undefined ? undefined : { from: now, problem };
  }

  /** Takes a beat; gives the stretches that are over by then. */
  beat({ now, stall, busy }: Beat): InvalidStretch[] {
    if (stall !== undefined) {
      this.#stalls.push(stall);
      if (stall.to - stall.from >= blindMs) this.#extend('stalled', stall.from, stall.to, 'its event loop stood still');
    }
    if (busy !== undefined)
      this.#extend('busy', Math.max(0, now - 1_000), now, `its event loop was busy ${Math.round(busy * 100)} % of the time`);
    if (this.#loopback !== undefined) this.#extend('loopback', this.#loopback.from, now, this.#loopback.problem);
    this.#stalls = this.#stalls.filter(({ to }) => to >= now - this.#longestMs - joinMs);
    return this.#close(({ from, to }) => to < now - joinMs || to - from > mostJoinedMs);
  }

  /** All that is left. */
  end(): InvalidStretch[] {
    return this.#close(() => true);
  }

  /** Of samples that ended before the last beat: writes down on each how much of it was ours. */
  mark(samples: readonly Sample[]): Sample[] {
    return samples.map((sample) => {
      const own = this.#ownPart(sample);
      return own === 0 ? sample : { ...sample, own: Math.round(own * 1_000) / 1_000 };
    });
  }

  #ownPart({ due, end }: Sample): number {
    for (const cause of ['busy', 'loopback'] as const) {
      const open = this.#open.get(cause);
      if (open !== undefined && due <= open.to && end >= open.from) return end - due;
    }
    return this.#stalls.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(end, to) - Math.max(due, from)), 0);
  }

  #extend(cause: Cause, from: number, to: number, detail: string): void {
    const open = this.#open.get(cause);
    const since = open === undefined ? from : Math.max(from, open.to);
    this.#open.set(cause, { from: open?.from ?? from, to, ms: (open?.ms ?? 0) + to - since, cause, detail });
  }

  #close(over: (stretch: InvalidStretch) => boolean): InvalidStretch[] {
    const closed = [...this.#open.values()].filter(over);
    for (const { cause } of closed) this.#open.delete(cause);
    return closed;
  }
}
