/** What comes out of a command: bounded collecting, and the line in front by which the command says which process group it is. */
import { StringDecoder } from 'node:string_decoder';

/** Keeps the last `maxBytes`, drops what came before and remembers that it did. For what a command complains: its last words say why it failed. */
export class LastOutput {
  readonly #maxBytes: number;
  /** Together they hold more than `maxBytes` once anything was dropped; whole chunks go at once. */
  #older: Buffer[] = [];
  #newer: Buffer[] = [];
  #newerSize = 0;
  #size = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(chunk: Buffer): void {
    this.#size += chunk.length;
    this.#newer.push(chunk);
    this.#newerSize += chunk.length;
    if (this.#newerSize < this.#maxBytes) return;
    this.#older = this.#newer;
    this.#newer = [];
    this.#newerSize = 0;
  }

  get truncated(): boolean {
    return this.#size > this.#maxBytes;
  }

  /** As UTF-8; a character cut in two by the limit is left out. */
  text(): string {
    const all = Buffer.concat([...this.#older, ...this.#newer]);
    if (!this.truncated) return all.toString('utf8');
    const kept = all.subarray(all.length - this.#maxBytes);
    const start = kept.subarray(0, 4).findIndex((byte) => (byte & 0xc0) !== 0x80);
    return kept.subarray(start < 0 ? 3 : start).toString('utf8');
  }
}

/** Keeps the first `maxBytes`, drops the rest and remembers that it did. */
export class BoundedOutput {
  readonly #chunks: Buffer[] = [];
  readonly #maxBytes: number;
  #size = 0;
  #truncated = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(chunk: Buffer): void {
    const room = this.#maxBytes - this.#size;
    if (chunk.length > room) this.#truncated = true;
    if (room <= 0 || chunk.length === 0) return;
    const kept = chunk.subarray(0, room);
    this.#chunks.push(kept);
    this.#size += kept.length;
  }

  get truncated(): boolean {
    return this.#truncated;
  }

  /** As UTF-8; a character cut in two by the limit is left out. */
  text(): string {
    const all = Buffer.concat(this.#chunks);
    return this.#truncated ? new StringDecoder('utf8').write(all) : all.toString('utf8');
  }
}

/** A login shell that prints more than this before the command is not one we can work with. */
const maxNoise = 64 * 1024;

/**
 * Finds the line `<mark> <pid>` that our wrapper prints before the command runs, and hands on only what follows it. What a login
 * shell's start-up files print goes before that line and is dropped.
 */
export class GroupLine {
  readonly #mark: Buffer;
  #head: Buffer = Buffer.alloc(0);
  #group: number | undefined;
  readonly #found: (group: number) => void;

  /** `found` is called once, with the process group, as soon as the line is complete. */
  constructor(mark: string, found: (group: number) => void) {
    this.#mark = Buffer.from(`${mark} `);
    this.#found = found;
  }

  /** `undefined` until the line has come. */
  get group(): number | undefined {
    return this.#group;
  }

  /** Gives what of `chunk` belongs to the command itself. */
  strip(chunk: Buffer): Buffer {
    if (this.#group !== undefined) return chunk;
    this.#head = Buffer.concat([this.#head, chunk]);
    const start = this.#head.indexOf(this.#mark);
    const end = start < 0 ? -1 : this.#head.indexOf('\n', start);
    if (end < 0) {
      if (this.#head.length > maxNoise) this.#head = this.#head.subarray(-this.#mark.length - 16);
      return Buffer.alloc(0);
    }
    const group = Number(this.#head.subarray(start + this.#mark.length, end).toString('latin1'));
    const rest = this.#head.subarray(end + 1);
    this.#head = Buffer.alloc(0);
    if (!Number.isSafeInteger(group) || group <= 1) return rest;
    this.#group = group;
    this.#found(group);
    return rest;
  }
}
