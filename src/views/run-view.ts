/**
 * A run as it happens, in one of three ways: a live block on a terminal, calm lines in a log, JSON lines for programs. Views are fed
 * with events and the state folded from them; they decide nothing and write only to the sink they are given.
 */
import type { Clock } from '../core/clock.ts';
import type { JournalEvent } from '../journal/events.ts';
import type { RunState } from '../journal/fold-state.ts';
import { JsonRunView } from './run-json.ts';
import { LiveRunView } from './run-live.ts';
import { PlainRunView } from './run-plain.ts';

/** Where a view writes: a stream, or a list in a test. */
export interface Sink {
  write(text: string): void;
  /** Of the terminal now; it may change. */
  readonly columns: number;
  readonly isTTY: boolean;
}

export interface RunView {
  /** `state` has `event` in it already. Must not throw. */
  event(event: JournalEvent, state: RunState): void;
  /** Leaves the terminal as it was found. Idempotent. */
  close(): void;
}

export interface RunViewOptions {
  readonly sink: Sink;
  readonly format: 'human' | 'json';
  readonly color: boolean;
  readonly clock: Clock;
  /** JSON only: the samples of the probes too. */
  readonly samples?: boolean;
}

export function createRunView({ sink, format, color, clock, samples = false }: RunViewOptions): RunView {
  if (format === 'json') return new JsonRunView(sink, { samples });
  return sink.isTTY ? new LiveRunView(sink, { color, clock }) : new PlainRunView(sink, { color });
}
