/** The process groups a lab host has started, so that closing it leaves none behind. POSIX only, no /proc. */
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a group may take to end after TERM, ms. */
const grace = 500;

export class ProcessGroups {
  readonly #leaders = new Set<number>();
  /** Groups whose leader is gone but whose children may live on. Looked at each second: a freed id may be given to a stranger. */
  readonly #orphans = new Set<number>();
  #watch: NodeJS.Timeout | undefined;

  started(group: number): void {
    this.#leaders.add(group);
  }

  leaderExited(group: number): void {
    this.#leaders.delete(group);
    if (!isAlive(group)) return;
    this.#orphans.add(group);
    this.#watch ??= setInterval(() => this.#forgetDead(), 1_000).unref();
  }

  /** TERM to all, KILL to those left after half a second. */
  async end(): Promise<void> {
    clearInterval(this.#watch);
    const groups = [...this.#leaders, ...this.#orphans];
    const living = groups.filter((group) => signalGroup(group, 'SIGTERM'));
    for (let waited = 0; waited < grace && living.some(isAlive); waited += 25) await sleep(25);
    for (const group of living) signalGroup(group, 'SIGKILL');
    this.#orphans.clear();
  }

  #forgetDead(): void {
    for (const group of this.#orphans) if (!isAlive(group)) this.#orphans.delete(group);
    if (this.#orphans.size > 0) return;
    clearInterval(this.#watch);
    this.#watch = undefined;
  }
}

/** False when there is no such group. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch (error) {
    // EPERM: it is there, but (in part) not ours; macOS also says so of a group of zombies.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isAlive(group: number): boolean {
  return signalGroup(group, 0);
}
