/** For logs and pipes: a line for each notable event, and how the SLOs stand every five seconds at most. Nothing is ever redrawn. */
import type { JournalEvent } from '../journal/events.ts';
import type { RunState } from '../journal/fold-state.ts';
import { pad } from './columns.ts';
import { elapsed, eventLine, sloNow, strictestLimit } from './run-line.ts';
import type { RunView, Sink } from './run-view.ts';
import { type Style, styleFor } from './style.ts';

const progressEvery = 5_000;

export class PlainRunView implements RunView {
  readonly #sink: Sink;
  readonly #style: Style;
  #nextProgress = 0;

  constructor(sink: Sink, { color }: { readonly color: boolean }) {
    this.#sink = sink;
    this.#style = styleFor(color);
  }

  event(event: JournalEvent, state: RunState): void {
    if (event.type === 'slo.measured') this.#progress(event.t, state);
    const line = eventLine(event, state, this.#style);
    if (line !== undefined) this.#sink.write(`${line}\n`);
  }

  #progress(t: number, state: RunState): void {
    if (t < this.#nextProgress) return;
    this.#nextProgress = t + progressEvery;
    const slos = (state.plan?.slos ?? []).map((slo) => {
      const limit = strictestLimit(slo);
      return `${sloNow(slo, state)}${limit === undefined ? '' : ` (${limit.text})`}`;
    });
    if (slos.length > 0) this.#sink.write(`${this.#style('muted', `${pad(elapsed(t), 8)} ${slos.join(', ')}`)}\n`);
  }

  close(): void {
    // Nothing is held.
  }
}
