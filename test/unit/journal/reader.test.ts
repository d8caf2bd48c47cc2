import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventBody } from '../../../src/journal/events.ts';
import { parseJournal, readJournal } from '../../../src/journal/reader.ts';
import { testPlan } from '../../support/engine-plan.ts';

const bodies: readonly EventBody[] = [
  { type: 'run.started', run: 'abcdef', plan: testPlan(), version: '0', operator: 'mé漢😀', machine: 'here', pid: 1 },
  { type: 'phase.entered', phase: 'prepare' },
  { type: 'probe.sampled', probe: 'shop', samples: [{ due: 1, sent: 2, end: 3, ok: true }] },
  { type: 'fault.injecting', step: 's1', undo: { text: 'a\nb' } },
  { type: 'fault.injected', step: 's1' },
];
const lines = bodies.map((body, seq) => `${JSON.stringify({ seq, at: '2026-01-01T00:00:00.000Z', t: seq, ...body })}\n`);
const whole = lines.join('');
const recovered = `${JSON.stringify({ seq: 9, at: '2026-01-01T00:00:00.000Z', t: 9, type: 'recover.started', pid: 1, operator: 'me' })}\n`;
const refusedAt = (line: number) =>
  expect.objectContaining({ code: 'CHAOS_JOURNAL', message: `run/journal.jsonl:${line} is not an event of this version` });
const failure = (text: string): unknown => {
  try {
    return parseJournal(text, 'run/journal.jsonl');
  } catch (error) {
    return error;
  }
};

describe('reading a journal', () => {
  it('gives every event of a whole one', () => {
    const { events, torn } = parseJournal(whole, 'x');
    expect(events).toMatchObject(bodies);
    expect(torn).toBe(false);
  });

  it('gives, of any beginning of its bytes, the events that are complete', () => {
    const bytes = Buffer.from(whole);
    fc.assert(
      fc.property(fc.nat(bytes.length), (cut) => {
        const text = bytes.subarray(0, cut).toString('utf8');
        const { events, torn } = parseJournal(text, 'x');
        const complete = lines.filter((_line, index) => Buffer.byteLength(lines.slice(0, index + 1).join('')) - 1 <= cut).length;
        expect(events).toMatchObject(bodies.slice(0, complete));
        expect(torn).toBe(text !== '' && !text.endsWith('\n'));
      }),
      { numRuns: 300 },
    );
  });

  it('takes a last event whose line has no end for what it is: complete', () => {
    const { events, torn } = parseJournal(whole.slice(0, -1), 'x');
    expect(events).toHaveLength(bodies.length);
    expect(torn).toBe(true);
  });

  it('tolerates torn lines at the end, and where a recovery took over', () => {
    const torn = '{"seq":5,"at":"20\n';
    expect(parseJournal(whole + torn, 'x').events).toHaveLength(5);
    expect(parseJournal(whole + torn + recovered, 'x').events).toHaveLength(6);
    expect(parseJournal(whole + torn + torn + recovered, 'x').events).toHaveLength(6);
    expect(parseJournal(whole + torn + recovered + torn + recovered, 'x').events).toHaveLength(7);
  });

  it('refuses damage anywhere else, with the number of the line', () => {
    const [first = '', second = '', ...rest] = lines;
    expect(failure(first + second.slice(9) + rest.join(''))).toEqual(refusedAt(2));
    expect(failure(`${first}\n${second}`)).toEqual(refusedAt(2));
    expect(failure(`nonsense\n${whole}`)).toEqual(refusedAt(1));
  });

  it('refuses an event of another version also at the end: it may be the one that matters', () => {
    const future = `${JSON.stringify({ seq: 5, at: '', t: 5, type: 'fault.injecting', step: 's2', undo: {}, more: 1 })}\n`;
    expect(failure(whole + future)).toEqual(refusedAt(6));
    expect(failure(whole + future.slice(0, -1))).toEqual(refusedAt(6));
    expect(failure(whole + future + recovered)).toEqual(refusedAt(6));
  });

  it('says where a journal is missing', async () => {
    await expect(readJournal('/nonexistent/run')).rejects.toMatchObject({
      code: 'CHAOS_JOURNAL',
      target: '/nonexistent/run/journal.jsonl',
    });
  });
});
