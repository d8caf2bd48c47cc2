/**
 * The open loop behind every active probe: slot k is due at t0 + k/rate whatever the target does, so a slow answer never hides the
 * requests that would have come after it (coordinated omission). A late timer fires the slots it missed, each with its own due time.
 */
import type { Clock } from '../core/clock.ts';
import type { Sample } from './contract.ts';
import { sampleError } from './errors.ts';

/** One turn of the schedule. */
export interface Slot {
  /** 0, 1, 2, … without gaps. */
  readonly number: number;
  /** Run time, ms. */
  readonly due: number;
  /** Aborts at the timeout; what the attempt gives after that is dropped. */
  readonly signal: AbortSignal;
}

/** What came of a slot. */
export interface Attempt {
  readonly ok: boolean;
  readonly error?: string;
  /** When it was really sent, run time in ms, where that is later than the slot's start: it had to wait for a connection. */
  readonly sent?: number;
  readonly node?: string;
}

export interface ScheduleOptions {
  readonly clock: Clock;
  /** `clock.monotonic()` at the run's start. */
  readonly origin: number;
  /** Slots a second. */
  readonly rate: number;
  readonly timeoutMs: number;
  /** Should not reject; if it does, the sample is not ok. */
  attempt(slot: Slot): Promise<Attempt>;
  /** Gets one sample a slot, in the order they are complete. */
  emit(sample: Sample, slot: number): void;
}

export interface Schedule {
  /** Starts no new slot; resolves, after the timeout at the latest, when those under way are in. Idempotent. */
  stop(): Promise<void>;
}

/** A timeout may be noticed this late: its lane is not free before, ms. */
const latenessMs = 250;
/** More at a time would make the probe the load that it measures. */
const maxLanes = 1_024;

export function startSchedule(options: ScheduleOptions): Schedule {
  return new OpenLoop(options);
}

class OpenLoop implements Schedule {
  readonly #options: ScheduleOptions;
  readonly #t0: number;
  /** One for every slot, even when all of the last `timeout` hang: only the cap, or a stall of the runner itself, can use them up. */
  readonly #lanes: number;
  readonly #underWay = new Set<Promise<void>>();
  #next = 0;
  #timer: NodeJS.Timeout;
  #stopped: Promise<void> | undefined;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#lanes = Math.min(maxLanes, Math.ceil((options.rate * (options.timeoutMs + latenessMs)) / 1_000) + 1);
    this.#t0 = this.#now();
    this.#timer = setTimeout(() => this.#tick(), 0);
  }

  stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopped ??= Promise.all(this.#underWay).then(() => undefined);
    return this.#stopped;
  }

  #now(): number {
    return this.#options.clock.monotonic() - this.#options.origin;
  }

  #nextDue(): number {
    return this.#t0 + (this.#next * 1_000) / this.#options.rate;
  }

  #tick(): void {
    for (let due = this.#nextDue(); this.#stopped === undefined && due <= this.#now(); due = this.#nextDue()) this.#fire(this.#next++, due);
    if (this.#stopped !== undefined) return;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, this.#nextDue() - this.#now()));
  }

  #fire(number: number, due: number): void {
    if (this.#underWay.size >= this.#lanes) {
      const at = this.#now();
      this.#options.emit(sampleOf({ due, sent: at, end: at }, { ok: false, error: 'shed' }), number);
      return;
    }
    const running = this.#run(number, due).finally(() => this.#underWay.delete(running));
    this.#underWay.add(running);
  }

  async #run(number: number, due: number): Promise<void> {
    const { attempt, emit, timeoutMs } = this.#options;
    const started = this.#now();
    const abort = new AbortController();
    const limit = timeLimit(timeoutMs);
    const trying = attempt({ number, due, signal: abort.signal }).catch(
      (error: unknown): Attempt => ({ ok: false, error: sampleError(error) }),
    );
    const answer = await Promise.race([trying, limit.passed]);
    const end = this.#now();
    limit.cancel();
    if (answer !== 'timeout') {
      emit(sampleOf({ due, sent: answer.sent ?? started, end }, answer), number);
      return;
    }
    emit(sampleOf({ due, sent: started, end: started + timeoutMs }, { ok: false, error: 'timeout' }), number);
    abort.abort();
  }
}

/**
 * `passed` comes true `ms` from now. Timers run before sockets are read: after a stall of this process the answer may be there,
 * unread, when the timer fires, so the sockets get their turn first.
 */
function timeLimit(ms: number): { readonly passed: Promise<'timeout'>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => setImmediate(resolve, 'timeout'), ms);
  });
  return { passed, cancel: () => clearTimeout(timer) };
}

type Times = Pick<Sample, 'due' | 'sent' | 'end'>;

/** Microseconds are kept: more digits would only make the journal longer. */
function sampleOf(times: Times, { ok, error, node }: Attempt): Sample {
  const micro = (ms: number): number => Math.round(ms * 1_000) / 1_000;
  return {
    due: micro(times.due),
    sent: micro(times.sent),
    end: micro(times.end),
    ok,
    ...(error === undefined ? {} : { error }),
    ...(node === undefined ? {} : { node }),
  };
}
