import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WriteBook } from '../../../../src/probes/postgres-ledger/book.ts';

describe('WriteBook', () => {
  it('sorts every write into one of four classes', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ acked: fc.boolean(), there: fc.boolean() })), (writes) => {
        const book = new WriteBook();
        for (const [seq, { acked }] of writes.entries()) book.add(seq, { due: seq * 20, end: seq * 20 + 5, ok: acked });
        for (const [seq, { there }] of writes.entries()) if (there) book.found(seq);

        const count = (acked: boolean, there: boolean): number =>
          writes.filter((write) => write.acked === acked && write.there === there).length;
        const lost = writes.flatMap(({ acked, there }, seq) => (acked && !there ? [seq * 20] : []));
        expect(book.result()).toMatchObject({
          writes: writes.length,
          durable: count(true, true),
          lost: count(true, false),
          indeterminate: count(false, true),
          rejected: count(false, false),
        });
        expect(book.result().lostWindow).toEqual(lost.length === 0 ? undefined : { from: lost[0], to: lost.at(-1) });
      }),
    );
  });

  it('finds the longest gap between two acknowledgements by their ends', () => {
    const book = new WriteBook();
    book.add(0, { due: 0, end: 10, ok: true });
    book.add(2, { due: 40, end: 45, ok: true });
    book.add(1, { due: 20, end: 500, ok: false });
    book.add(3, { due: 60, end: 645, ok: true });
    book.add(4, { due: 80, end: 650, ok: true });

    expect(book.result().longestGap).toEqual({ from: 45, ms: 600 });
    expect(book.lastFailure).toBe(500);
  });

  it('counts writes that went unanswered to the end as a gap', () => {
    const book = new WriteBook();
    book.add(0, { due: 0, end: 10, ok: true });
    book.add(1, { due: 20, end: 2_020, ok: false });

    expect(book.result().longestGap).toEqual({ from: 10, ms: 2_010 });
  });

  it('takes the whole time for a gap when nothing was ever acknowledged', () => {
    const book = new WriteBook();
    book.add(0, { due: 100, end: 101, ok: false });
    book.add(1, { due: 120, end: 3_000, ok: false });

    expect(book.result().longestGap).toEqual({ from: 100, ms: 2_900 });
  });

  it('ignores rows it never wrote', () => {
    const book = new WriteBook();
    book.add(0, { due: 0, end: 1, ok: true });
    book.found(7);

    expect(book.result()).toMatchObject({ writes: 1, lost: 1, indeterminate: 0 });
  });
});
