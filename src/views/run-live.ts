/**
 * For a terminal: notable events scroll by as plain lines, a small block below them is redrawn in place. No alternate screen, so the
 * log stays in the scrollback and can be copied.
 */
import type { Clock } from '../core/clock.ts';
import type { JournalEvent } from '../journal/events.ts';
import type { RunState } from '../journal/fold-state.ts';
import { liveBlock } from './live-block.ts';
import { eventLine } from './run-line.ts';
import type { RunView, Sink } from './run-view.ts';
import { type Style, styleFor } from './style.ts';

/** Often enough to look alive, seldom enough for a slow link. */
const redrawEvery = 200;

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const clearBelow = '\u001b[0J';

export class LiveRunView implements RunView {
  readonly #sink: Sink;
  readonly #style: Style;
  readonly #clock: Clock;
  readonly #ticker: ReturnType<typeof setInterval>;
  #state: RunState | undefined;
  /** `clock.monotonic()` at run time 0. */
  #origin = 0;
  #drawnLines = 0;
  #drawnColumns = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(sink: Sink, { color, clock }: { readonly color: boolean; readonly clock: Clock }) {
    this.#sink = sink;
    this.#style = styleFor(color);
    this.#clock = clock;
    sink.write(hideCursor);
    // A view must never keep the process alive.
    this.#ticker = setInterval(() => this.#redraw(''), 500).unref();
  }

  event(event: JournalEvent, state: RunState): void {
    if (this.#closed) return;
    this.#state = state;
    const now = this.#clock.monotonic();
    this.#origin = now - event.t;
    const line = eventLine(event, state, this.#style, this.#columns());
    if (line !== undefined) this.#redraw(`${line}\n`);
    else if (now - this.#drawnAt >= redrawEvery) this.#redraw('');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#ticker);
    this.#sink.write(`${this.#erase()}${showCursor}`);
  }

  /** One column is left free: a full line would wrap on some terminals. */
  #columns(): number {
    return Math.max(1, this.#sink.columns - 1);
  }

  #redraw(above: string): void {
    if (this.#closed || this.#state === undefined) return;
    const columns = this.#columns();
    const now = this.#clock.monotonic();
    const lines = liveBlock(this.#state, { columns, style: this.#style, now: now - this.#origin });
    // One write: nothing else can come between erasing and drawing.
    this.#sink.write(`${this.#erase()}${above}${lines.join('\n')}\n`);
    this.#drawnLines = lines.length;
    this.#drawnColumns = columns;
    this.#drawnAt = now;
  }

  /** A window made narrower has wrapped the old lines: they take more rows now. */
  #erase(): string {
    if (this.#drawnLines === 0) return '';
    const wrapped = Math.ceil(this.#drawnColumns / Math.max(1, this.#sink.columns));
    const rows = this.#drawnLines * Math.max(1, wrapped);
    this.#drawnLines = 0;
    return `\u001b[${rows}A\r${clearBelow}`;
  }
}
