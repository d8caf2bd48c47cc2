/**
 * How many sessions one connection carries at once. sshd allows 10 (MaxSessions) and refuses the rest outright, so the others wait here.
 * Two are kept back for ending commands: a full connection must still be able to stop what it started.
 */
import { onAbort } from './on-abort.ts';

/** Given back once; further calls do nothing. */
export type GiveBack = () => void;

interface Waiter {
  readonly urgent: boolean;
  grant(): void;
  fail(error: Error): void;
}

export class ChannelSlots {
  #limit: number;
  #active = 0;
  #closed: Error | undefined;
  readonly #waiting: Waiter[] = [];

  constructor(limit = 10) {
    this.#limit = limit;
  }

  /** Waits for a free session, first come first served, urgent ones first. Rejects with the signal's reason, or the error given to `close`. */
  take(urgent: boolean, signal: AbortSignal): Promise<GiveBack> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) {
        reject(this.#closed);
        return;
      }
      let release = (): void => undefined;
      const leave = (): void => {
        release();
        const index = this.#waiting.indexOf(waiter);
        if (index >= 0) this.#waiting.splice(index, 1);
      };
      const waiter: Waiter = {
        urgent,
        grant: () => {
          leave();
          this.#active++;
          resolve(this.#giveBackOnce());
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiting.push(waiter);
      release = onAbort(signal, () => waiter.fail(signal.reason as Error));
      this.#grantWaiting();
    });
  }

  /**
   * The server refused a session: it allows fewer than we thought. Called before the refused slot is given back.
   * False when ours was the only one open: waiting would not help.
   */
  refused(): boolean {
    const open = this.#active - 1;
    if (open < 1) return false;
    this.#limit = Math.min(this.#limit, open);
    return true;
  }

  /** The connection is gone: everyone who waits, and whoever comes later, gets `error`. */
  close(error: Error): void {
    this.#closed ??= error;
    for (const waiter of [...this.#waiting]) waiter.fail(this.#closed);
  }

  #giveBackOnce(): GiveBack {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#active--;
      this.#grantWaiting();
    };
  }

  #grantWaiting(): void {
    for (let next = this.#nextWaiter(); next !== undefined; next = this.#nextWaiter()) next.grant();
  }

  #nextWaiter(): Waiter | undefined {
    if (this.#active >= this.#limit) return undefined;
    const urgent = this.#waiting.find((waiter) => waiter.urgent);
    if (urgent !== undefined) return urgent;
    const keptBack = Math.min(2, Math.floor(this.#limit / 3));
    return this.#active < this.#limit - keptBack ? this.#waiting[0] : undefined;
  }
}
