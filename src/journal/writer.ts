/**
 * The journal: the only record of a run. Append-only, one event a line. An event that announces a change to a target is on disk (fsync)
 * before `record` resolves, so that whoever finds the journal after a crash knows what has to be undone.
 */
import { existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { ChaosError, describeError } from '../core/errors.ts';
import { jsonLine } from '../core/text.ts';
import { type EventBody, type EventType, JournalEvent } from './events.ts';
import { journalPath, readJournal } from './reader.ts';

/** Takes an event. Rejects with `CHAOS_JOURNAL` when it cannot be written. */
export type Recorder = (body: EventBody) => Promise<void>;

/** Written through to the disk before the promise resolves; all others reach the operating system, which a killed runner survives too. */
const durable: ReadonlySet<EventType> = new Set<EventType>([
  'run.started',
  'fault.injecting',
  'fault.marked',
  'fault.injected',
  'abort.decided',
  'fault.reverting',
  'fault.reverted',
  'rollback.finished',
  'verdict.reached',
  'run.finished',
]);

/** Refused below this: a run of ten minutes with two probes writes about 5 MB, its report as much again. */
const minimumFreeBytes = 64 * 1024 * 1024;

/**
 * Never redacted. Texts of a fixed vocabulary and names, because a password such as `postgresql` must not make a journal unreadable; and what
 * `chaos recover` works from word for word: the plan (secrets are references in it), undo records and marks (plain data by contract).
 */
const verbatim: ReadonlySet<string> = new Set(
  'type at run phase level stage state outcome verdict rollback kind unit via code result plan undo data step operation target probe slo mark'.split(
    ' ',
  ),
);

export interface JournalOptions {
  readonly clock: Clock;
  /** Removes secrets from one text of an event. */
  redact(text: string): string;
  /** Hears every event as it is recorded, secrets removed, also one that could not be written. Must not throw. */
  onEvent(event: JournalEvent): void;
}

export class JournalWriter implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #options: JournalOptions;
  /** `clock.monotonic()` that `t` counts from. */
  readonly origin: number;
  #seq: number;
  /** Bytes up to the end of the last whole line. */
  #size: number;
  /** A failed write may have left half a line. */
  #halfLine = false;
  #tail: Promise<void> = Promise.resolve();

  private constructor(file: FileHandle, options: JournalOptions, origin: number, seq: number, size: number) {
    this.#file = file;
    this.#options = options;
    this.origin = origin;
    this.#seq = seq;
    this.#size = size;
  }

  /** Makes `folder` and an empty journal in it; proves first that there is room and that a line can be written and synced. */
  static async create(folder: string, options: JournalOptions): Promise<JournalWriter> {
    await proveRoom(folder);
    try {
      const file = await open(journalPath(folder), 'ax', 0o644);
      await file.datasync();
      return new JournalWriter(file, options, options.clock.monotonic(), 0, 0);
    } catch (cause) {
      throw cannotWrite(folder, cause);
    }
  }

  /** Opens the journal of a run whose runner died, to go on writing it. A torn last line is closed, not removed. */
  static async resume(folder: string, options: JournalOptions): Promise<JournalWriter> {
    const { events, torn } = await readJournal(folder);
    const first = events[0];
    const last = events.at(-1);
    if (first === undefined || last === undefined)
      throw new ChaosError('CHAOS_JOURNAL', `no events in ${journalPath(folder)}`, { target: folder });
    try {
      const file = await open(journalPath(folder), 'a');
      if (torn) await file.appendFile('\n');
      const elapsed = options.clock.wall() - (Date.parse(first.at) - first.t);
      const { size } = await file.stat();
      return new JournalWriter(file, options, options.clock.monotonic() - Math.max(elapsed, last.t), last.seq + 1, size);
    } catch (cause) {
      throw new ChaosError('CHAOS_JOURNAL', `the journal cannot be continued`, { target: journalPath(folder), cause });
    }
  }

  /** Milliseconds since the run's start. */
  elapsed(): number {
    return Math.round((this.#options.clock.monotonic() - this.origin) * 100) / 100;
  }

  readonly record: Recorder = (body) => {
    let event: JournalEvent;
    try {
      event = this.#stamp(body);
    } catch (cause) {
      return Promise.reject(cause as Error);
    }
    const written = this.#tail.then(() => this.#write(`${jsonLine(event)}\n`, durable.has(event.type)));
    // The chain must go on after a failed line; the failure itself reaches the caller through `written`.
    this.#tail = written.catch(() => undefined);
    this.#options.onEvent(event);
    return written;
  };

  /** The event as it will be read back. One that could not be would make the whole journal useless to a recovery: it is refused here. */
  #stamp(body: EventBody): JournalEvent {
    try {
      const { clock } = this.#options;
      const event = { seq: this.#seq, at: new Date(clock.wall()).toISOString(), t: this.elapsed(), ...body };
      const stamped = JournalEvent.parse(JSON.parse(JSON.stringify(redacted(event, this.#options))));
      this.#seq++;
      return stamped;
    } catch (cause) {
      throw new ChaosError('CHAOS_JOURNAL', `an event ${body.type} that could not be read back was refused: ${describeError(cause)}`);
    }
  }

  async #write(line: string, sync: boolean): Promise<void> {
    try {
      if (this.#halfLine) await this.#file.truncate(this.#size);
      this.#halfLine = true;
      await this.#file.appendFile(line);
      this.#halfLine = false;
      this.#size += Buffer.byteLength(line);
      if (sync) await this.#file.datasync();
    } catch (cause) {
      throw new ChaosError('CHAOS_JOURNAL', 'the journal cannot be written', { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tail;
    await this.#file.close();
  }
}

/** Makes `folder` and proves that a file of it can be written and synced; rejects with `CHAOS_REFUSED`. Worth asking before anything is started. */
export async function proveRoom(folder: string): Promise<void> {
  try {
    await makeFolder(folder);
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < minimumFreeBytes) {
      throw new Error(`only ${Math.floor((bavail * bsize) / 1024 / 1024)} MiB free, ${minimumFreeBytes / 1024 / 1024} MiB are needed`);
    }
    const path = join(folder, `.room-${process.pid}`);
    try {
      await writeFile(path, 'x', { flush: true });
    } finally {
      await rm(path, { force: true });
    }
  } catch (cause) {
    throw cannotWrite(folder, cause);
  }
}

/** Not `recursive`: on a file system that refuses every new folder (/proc), Node 20 never comes back from that. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    const parent = dirname(folder);
    if (code !== 'ENOENT' || parent === folder || existsSync(parent)) throw error;
    await makeFolder(parent);
    await mkdir(folder);
  }
}

function cannotWrite(folder: string, cause: unknown): ChaosError {
  return new ChaosError('CHAOS_REFUSED', `the journal cannot be written in ${folder}`, {
    target: folder,
    hint: 'make the folder writable, free some space, or choose another with --reports DIR; nothing was injected',
    cause,
  });
}

/** A recorder for undoing: what cannot be written is given up, because a full disk must not stop a revert. */
export function tolerant(record: Recorder, onFailure: (error: unknown) => void): Recorder {
  return async (body) => {
    try {
      await record(body);
    } catch (error) {
      onFailure(error);
    }
  };
}

function redacted(value: unknown, options: Pick<JournalOptions, 'redact'>): unknown {
  if (typeof value === 'string') return options.redact(value);
  if (Array.isArray(value)) return value.map((inner) => redacted(inner, options));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, verbatim.has(key) ? inner : redacted(inner, options)]));
}
