/** Events as JSON, one a line, for programs. Raise the version with any change that could break a reader. */
import { jsonLine } from '../core/text.ts';
import type { JournalEvent } from '../journal/events.ts';
import type { RunView, Sink } from './run-view.ts';

export const streamVersion = 1;

export class JsonRunView implements RunView {
  readonly #sink: Sink;
  readonly #samples: boolean;

  constructor(sink: Sink, { samples }: { readonly samples: boolean }) {
    this.#sink = sink;
    this.#samples = samples;
    sink.write(`${JSON.stringify({ version: streamVersion, type: 'stream.started' })}\n`);
  }

  event(event: JournalEvent): void {
    if (event.type === 'probe.sampled' && !this.#samples) return;
    this.#sink.write(`${jsonLine(event)}\n`);
  }

  close(): void {
    // Nothing is held.
  }
}
