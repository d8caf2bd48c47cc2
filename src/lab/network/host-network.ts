/** One host's side of its links: what its `tc` asked for, read when a packet leaves, and what was counted, for `tc -s` to show. */
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { type Counts, none, type Packet, type Qdiscs, readQdiscs, type Shape, shapeOf, writeCounts } from './qdisc.ts';

/** `folder`: belongs to the host's account. */
export function networkFiles(folder: string): { readonly qdiscs: string; readonly counts: string } {
  return { qdiscs: join(folder, 'qdisc.json'), counts: join(folder, 'qdisc-counts.json') };
}

/** What `tc` changes is seen that much later at most, ms. */
const lookEveryMs = 20;
const countEveryMs = 100;

/** Of a file that its owner may replace by anything; empty where there is none. */
function stamp(file: string): string {
  try {
    const { ino, mtimeMs } = lstatSync(file);
    return `${ino} ${mtimeMs}`;
  } catch {
    return '';
  }
}

export class HostNetwork {
  readonly #files: ReturnType<typeof networkFiles>;
  #qdiscs: Qdiscs = none;
  #seen = '';
  #lookedAt = Number.NEGATIVE_INFINITY;
  #counts: Counts = { serial: '', bytes: 0, packets: 0, dropped: 0 };
  #timer: NodeJS.Timeout | undefined;

  constructor(folder: string) {
    this.#files = networkFiles(folder);
  }

  /** What happens now to a packet that leaves the host. */
  shape(packet: Packet): Shape | undefined {
    this.#look();
    return this.#qdiscs.qdiscs.length === 0 ? undefined : shapeOf(this.#qdiscs, packet);
  }

  count(bytes: number, { lost }: { readonly lost: boolean }): void {
    const { serial } = this.#qdiscs;
    const before = this.#counts.serial === serial ? this.#counts : { serial, bytes: 0, packets: 0, dropped: 0 };
    const packets = Math.ceil(bytes / segmentBytes);
    this.#counts = lost
      ? { ...before, dropped: before.dropped + packets }
      : { ...before, bytes: before.bytes + bytes, packets: before.packets + packets };
    this.#timer ??= setTimeout(() => this.#writeCounts(), countEveryMs).unref();
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#lookedAt < lookEveryMs) return;
    this.#lookedAt = now;
    const seen = stamp(this.#files.qdiscs);
    if (seen !== this.#seen) this.#qdiscs = readQdiscs(this.#files.qdiscs);
    this.#seen = seen;
  }

  #writeCounts(): void {
    this.#timer = undefined;
    try {
      writeCounts(this.#files.counts, this.#counts);
    } catch {
      // The host's folder is full or gone: nothing can be told there, and traffic goes on.
    }
  }
}

/** Payload of a TCP segment on an Ethernet. */
export const segmentBytes = 1_448;
