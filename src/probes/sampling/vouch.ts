/** How much of each sample was the prober's own doing: what it stood still for. Pure. */
import type { Sample } from '../contract.ts';
import type { InvalidStretch } from './contract.ts';
import { type Beat, busyWindowMs } from './heartbeat.ts';

/** Shorter stalls only delay samples, which each sample says itself; longer ones are time in which nobody looked at the target, ms. */
const blindMs = 500;
/** Stretches closer than this are told as one, ms, up to a length. */
const joinMs = 250;
const mostJoinedMs = 5_000;

type Cause = InvalidStretch['cause'];

interface Span {
  readonly from: number;
  readonly to: number;
}

interface OpenStretch {
  readonly from: number;
  to: number;
  ms: number;
  /** What each cause added. */
  readonly parts: { readonly cause: Cause; readonly ms: number; readonly detail: string }[];
}

/**
 * Holds samples back until the next beat: only then is it known whether the loop stood still while they ended. `longestMs` of all probes:
 * how far back a sample may begin.
 */
export class Voucher {
  readonly #longestMs: number;
  #stalls: Span[] = [];
  /** Nothing that a sample saw then is the target's. */
  #unwell: Span[] = [];
  /** Not over yet. */
  #open: OpenStretch | undefined;
  #loopback: { readonly from: number; readonly problem: string } | undefined;

  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** `problem`: the control probe has failed; `undefined`: it is well again. */
  loopback(problem: string | undefined, now: number): void {
    this.#blameLoopback(now);
    this.#loopback = problem === undefined ? undefined : { from: now, problem };
  }

  /** Takes a beat; gives the stretches that are over by then. */
  beat({ now, stall, busy }: Beat): InvalidStretch[] {
    if (stall !== undefined) {
      this.#stalls.push(stall);
      if (stall.to - stall.from >= blindMs) this.#extend('stalled', stall, 'its event loop stood still');
    }
    if (busy !== undefined) {
      const span = { from: Math.max(0, now - busyWindowMs), to: now };
      this.#unwell.push(span);
      this.#extend('busy', span, `its event loop was busy ${Math.round(busy * 100)} % of the time`);
    }
    this.#blameLoopback(now);
    const recent = ({ to }: Span): boolean => to >= now - this.#longestMs - joinMs;
    this.#stalls = this.#stalls.filter(recent);
    this.#unwell = this.#unwell.filter(recent);
    const open = this.#open;
    return open !== undefined && (open.to < now - joinMs || open.to - open.from > mostJoinedMs) ? this.end() : [];
  }

  /** What is left. */
  end(): InvalidStretch[] {
    if (this.#open === undefined) return [];
    const { from, to, ms, parts } = this.#open;
    this.#open = undefined;
    const [{ cause, detail } = { cause: 'stalled' as const, detail: '' }] = parts.toSorted((a, b) => b.ms - a.ms);
    return [{ from, to, ms, cause, detail }];
  }

  /** Of samples that ended before the last beat: writes down on each how much of it was ours. */
  mark(samples: readonly Sample[]): Sample[] {
    return samples.map((sample) => {
      const own = this.#ownPart(sample);
      return own === 0 ? sample : { ...sample, own: Math.round(own * 1_000) / 1_000 };
    });
  }

  #ownPart({ due, end }: Sample): number {
    if (this.#unwell.some(({ from, to }) => due <= to && end >= from)) return end - due;
    return this.#stalls.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(end, to) - Math.max(due, from)), 0);
  }

  #blameLoopback(now: number): void {
    if (this.#loopback === undefined) return;
    const { from, problem } = this.#loopback;
    this.#loopback = { from: now, problem };
    this.#unwell.push({ from, to: now });
    this.#extend('loopback', { from, to: now }, problem);
  }

  /** Time that several causes share counts once. */
  #extend(cause: Cause, { from, to }: Span, detail: string): void {
    this.#open ??= { from, to: from, ms: 0, parts: [] };
    const ms = Math.max(0, to - Math.max(from, this.#open.to));
    this.#open.parts.push({ cause, ms, detail });
    this.#open.ms += ms;
    this.#open.to = Math.max(this.#open.to, to);
  }
}
