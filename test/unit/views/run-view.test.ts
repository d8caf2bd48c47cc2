import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JournalEvent } from '../../../src/journal/events.ts';
import { applyEvent, foldRun, newRunState } from '../../../src/journal/fold.ts';
import { displayWidth } from '../../../src/views/columns.ts';
import { interruptNow } from '../../../src/views/interrupt.ts';
import { liveBlock } from '../../../src/views/live-block.ts';
import { createRunView, type RunView, type Sink } from '../../../src/views/run-view.ts';
import { styleFor } from '../../../src/views/style.ts';
import { abortedBySlo, heldFailover, rollbackIncomplete, scenarios } from '../../support/journal-builder.ts';
import { Screen } from '../../support/journal-screen.ts';

class Captured implements Sink {
  text = '';
  readonly columns: number;
  readonly isTTY: boolean;
  constructor(columns: number, isTTY: boolean) {
    this.columns = columns;
    this.isTTY = isTTY;
  }
  write(text: string): void {
    this.text += text;
  }
}

/** Monotonic time that a test sets; nothing sleeps. */
const time = { now: 0 };
const clock = { wall: () => time.now, monotonic: () => time.now, sleep: async () => undefined };

function play(view: RunView, events: readonly JournalEvent[]): void {
  const state = newRunState();
  for (const event of events) {
    time.now = event.t;
    applyEvent(state, event);
    view.event(event, state);
  }
}

function viewOf(sink: Sink, options: { format?: 'human' | 'json'; samples?: boolean; color?: boolean } = {}): RunView {
  return createRunView({ sink, format: 'human', color: false, clock, ...options });
}

describe('in a log', () => {
  test('writes a line for each notable event and the SLOs every five seconds at most', () => {
    const sink = new Captured(80, false);
    play(viewOf(sink), abortedBySlo());
    const lines = sink.text.trimEnd().split('\n');

    expect(lines).toContain('+0:15.0  slo: checkout-latency is fatal: 980 ms (limit > 900ms, 100 samples)');
    expect(lines).toContain('+0:15.0  runner: abort: SLO checkout-latency reached its fatal level: 980 ms (limit > 900ms, 100 samples)');
    expect(lines).toContain('+0:15.4  fault: cpu on checkout-1 is gone: no process of group 4711 is left');
    expect(lines.filter((line) => line.includes('checkout-errors 0 %')).length).toBeLessThanOrEqual(7);
    expect(lines.length).toBeLessThan(45);
  });

  test('moves no cursor and hides none', () => {
    const sink = new Captured(80, false);
    const view = viewOf(sink);
    play(view, rollbackIncomplete());
    view.close();

    expect(sink.text).not.toContain('\u001b');
    expect(sink.text).not.toContain('\r');
  });
});

describe('as JSON', () => {
  test('begins with its version, then gives every event but samples', () => {
    const sink = new Captured(80, false);
    play(viewOf(sink, { format: 'json' }), heldFailover());
    const [head, ...events] = sink.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string });

    expect(head).toEqual({ version: 1, type: 'stream.started' });
    expect(events).toEqual(heldFailover().filter((event) => event.type !== 'probe.sampled'));
  });

  test('gives samples when asked', () => {
    const sink = new Captured(80, false);
    play(viewOf(sink, { format: 'json', samples: true }), heldFailover());

    expect(sink.text).toContain('"probe.sampled"');
  });
});

describe('on a terminal', () => {
  test('keeps the log above and one block below, whatever was redrawn', () => {
    const sink = new Captured(80, true);
    const view = viewOf(sink);
    const until = heldFailover().filter((event) => event.t <= 13_000);
    play(view, until);
    const screen = new Screen(80);
    screen.write(sink.text);
    view.close();

    const lines = screen.lines();
    expect(lines.filter((line) => line.startsWith('Ctrl-C:'))).toEqual([
      'Ctrl-C: goes forward (past the point of no return), then restores db-failover …',
    ]);
    expect(lines.filter((line) => line.startsWith('───'))).toHaveLength(1);
    expect(lines.findIndex((line) => line.includes('fault: injecting db-failover'))).toBeLessThan(
      lines.findIndex((line) => line.startsWith('───')),
    );
    expect(lines.at(-1)).toContain('Ctrl-C');
  });

  test('leaves only the log and a visible cursor when it is closed, even twice', () => {
    const sink = new Captured(80, true);
    const view = viewOf(sink);
    play(view, heldFailover());
    view.close();
    view.close();
    const screen = new Screen(80);
    screen.write(sink.text);

    expect(screen.cursorVisible).toBe(true);
    expect(screen.lines().some((line) => line.startsWith('Ctrl-C'))).toBe(false);
    expect(screen.lines().at(-1)).toContain('finished with exit code 0');
    expect(sink.text.split('\u001b[?25h')).toHaveLength(2);
    expect(sink.text).not.toContain('\u001b[?1049h');
  });

  test('is never wider than the terminal, at any moment, with any width', () => {
    const journals = Object.values(scenarios).map((make) => make());

    fc.assert(
      fc.property(
        fc.constantFrom(...journals),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 160 }),
        (events, share, columns) => {
          const part = events.slice(0, Math.ceil(events.length * share));
          const lines = liveBlock(foldRun(part), { columns, style: styleFor(false), now: part.at(-1)?.t ?? 0 });
          for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each([1, 12, 40, 79])('writes no row wider than %i columns', (columns) => {
    const sink = new Captured(columns, true);
    const view = viewOf(sink);
    play(view, rollbackIncomplete());
    view.close();

    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the view writes
    const rows = sink.text.replace(/\u001b\[[?0-9;]*[A-Za-z]/g, '').split(/[\r\n]+/);
    for (const row of rows) expect(displayWidth(row)).toBeLessThanOrEqual(columns);
  });

  test('keeps remote text from steering the terminal', () => {
    const sink = new Captured(100, true);
    const view = viewOf(sink);
    play(view, rollbackIncomplete());
    view.close();

    expect(sink.text).toContain('tar: no space');
    expect(sink.text).not.toContain('\u001b[31m');
  });
});

test('what Ctrl-C does follows the run', () => {
  const at = (t: number) => interruptNow(foldRun(heldFailover().filter((event) => event.t <= t)));

  expect(at(5_000)).toBe('stops the run; nothing is injected');
  expect(at(10_500)).toBe('aborts and reverts db-failover on db-a');
  expect(at(13_000)).toBe('goes forward (past the point of no return), then restores db-failover on db-a');
  expect(at(35_000)).toBe('the rollback goes on; a second one shows what would be left behind');
  expect(at(45_000)).toBe('ends waiting for the SLOs; everything is undone already');
  expect(at(60_000)).toBe('nothing is left to stop');
});
