/**
 * Keeps the fuses on the targets from reverting while the run is alive: a sign of life every 3 s over an open command of each target. The
 * end of that command, by whatever death of the runner or the link, is what makes a fuse revert at once.
 */
import { createInterface } from 'node:readline';
import { ChaosError } from '../core/errors.ts';
import { tail } from '../core/text.ts';
import type { RunningCommand } from '../drivers/contract.ts';

/** A fuse that is held: its target, and the operation that holds it. */
export interface LeaseKey {
  readonly target: string;
  readonly operation: string;
}

interface Lease {
  /** From now on its end is expected. */
  released: boolean;
  readonly close: () => void;
}

/** A fifth of the lease: four signs of life may be lost, ms. */
const renewEvery = 3_000;

export class Leases implements Disposable {
  readonly #held = new Map<string, Lease>();
  readonly #letGo = new AbortController();
  readonly #onLost: (target: string, detail: string) => void;

  /** `onLost` hears of a fuse that is gone, or that reverted although nobody asked it to. */
  constructor(onLost: (target: string, detail: string) => void) {
    this.#onLost = onLost;
  }

  /** Aborts when all is let go. */
  get signal(): AbortSignal {
    return this.#letGo.signal;
  }

  /** Resolves with the first `ok` of the target; rejects with `CHAOS_COMMAND` when there is none. */
  async hold(key: LeaseKey, command: RunningCommand): Promise<void> {
    const { stdin, stdout, result } = command;
    for (const stream of [stdin, stdout]) stream.on('error', () => undefined);
    const renew = (): void => void stdin.write('renew\n');
    const timer = setInterval(renew, renewEvery);
    const lease: Lease = {
      released: false,
      close: () => {
        clearInterval(timer);
        stdin.end();
      },
    };
    const lose = (detail: string): void => {
      if (!this.#held.has(nameOf(key)) || lease.released) return;
      lease.released = true;
      this.#onLost(key.target, detail);
    };
    const said = new Promise<string>((resolve) => {
      const lines = createInterface({ input: stdout }).on('line', (line) => {
        resolve(line);
        if (line !== 'ok') lose(`the fuse no longer waits: ${tail(line, 200)}`);
      });
      // It passes on what its input says, and `result` says it too.
      lines.on('error', () => undefined);
    });
    // `result` never rejects.
    const ended = result.then((end) => {
      clearInterval(timer);
      const detail = end.lostBecause ?? (tail(end.stderr, 200) || `it ended with exit code ${end.exitCode ?? 'none'}`);
      lose(`the fuse is no longer held: ${detail}`);
      return detail;
    });
    renew();
    const answer = await Promise.race([said, ended]);
    if (answer !== 'ok') {
      lease.close();
      throw new ChaosError('CHAOS_COMMAND', `the fuse cannot be held: ${answer}`, { target: key.target });
    }
    this.#held.set(nameOf(key), lease);
  }

  /** What follows, the revert, ends the lease: no loss. It is still renewed until then. */
  release(key: LeaseKey): void {
    const lease = this.#held.get(nameOf(key));
    if (lease !== undefined) lease.released = true;
  }

  /** Lets go of all: a fuse that has not reverted by now does so at once. */
  [Symbol.dispose](): void {
    for (const lease of this.#held.values()) {
      lease.released = true;
      lease.close();
    }
    this.#held.clear();
    this.#letGo.abort();
  }
}

function nameOf({ target, operation }: LeaseKey): string {
  return `${operation}@${target}`;
}
