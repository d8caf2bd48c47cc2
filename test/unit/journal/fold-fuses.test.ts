import { describe, expect, test } from 'vitest';
import { foldRun } from '../../../src/journal/fold.ts';
import { type FuseRevert, fusesOf } from '../../../src/journal/fold-fuses.ts';
import { describeEvent } from '../../../src/journal/fold-words.ts';
import { type Answered, fuseJournal, revertedByItself } from '../../support/journal-fuses.ts';

function fuses(answers: readonly Answered[], recoveredT?: number) {
  const state = foldRun(fuseJournal(answers, recoveredT));
  return [...state.faults.values()].flatMap((fault) => fusesOf(state, fault));
}

function pulled(...details: readonly (string | undefined)[]): Answered[] {
  return details.map((detail, index) => ({
    t: 30_000 + index * 1_000,
    operation: 'pull-web-1',
    detail: detail ?? 'connection lost',
    lost: detail === undefined,
  }));
}

describe('who reverted a fuse', () => {
  test.each<[string, Answered[], FuseRevert['by'], RegExp]>([
    ['the runner', pulled('reverted: it was asked to'), 'runner', /^pulled by the runner$/],
    ['the end of the connection', pulled('already reverted: the connection to the runner ended'), 'alone', /the connection to the runner/],
    ['silence', pulled('already reverted: no sign of life for 15 s'), 'alone', /^by itself: no sign of life for 15 s$/],
    ['the deadline', pulled('already reverted: its deadline passed'), 'alone', /deadline/],
    ['the boot', pulled('already reverted: the machine was restarted'), 'alone', /restarted/],
    ['a fuse that does not say why', pulled('already reverted: '), 'alone', /did not say why/],
    ['a sweep', pulled('already reverted: it was asked to'), 'other', /sweep/],
    ['an unanswered pull, or somebody', pulled(undefined, 'already reverted: it was asked to'), 'unknown', /not answered/],
    ['nobody who answered', pulled(undefined), 'unknown', /did not answer/],
    ['nobody that is known, the fuse being gone', pulled('absent'), 'unknown', /gone/],
    ['nobody, as it could not', pulled('not clean: undo exit 1, check exit 3'), 'unknown', /not known to have reverted/],
    ['nobody yet', [], 'unknown', /never pulled/],
  ])('%s', (_name, answers, by, text) => {
    const [fuse] = fuses(answers);

    expect(fuse).toMatchObject({ target: 'web-1', leaseS: 15, deadlineS: 90, armedT: 1_000, reverted: { by } });
    expect(fuse?.reverted.text).toMatch(text);
  });

  test('recover, when it took over before the fuse was pulled', () => {
    expect(fuses(pulled('reverted: it was asked to'), 20_000)[0]?.reverted.by).toBe('recover');
  });

  test('the runner, where the undo was sent because the fuse was gone', () => {
    const answers = [...pulled('absent'), { t: 31_000, operation: 'undo-web-1', detail: '' }];

    expect(fuses(answers)[0]?.reverted).toMatchObject({ by: 'runner', text: expect.stringContaining('sent the undo itself') });
  });

  test('each target has an answer of its own', () => {
    const state = foldRun(revertedByItself());

    expect([...state.faults.values()].flatMap((fault) => fusesOf(state, fault)).map(({ reverted }) => reverted.by)).toEqual([
      'alone',
      'runner',
    ]);
  });
});

test('only the target that reverted by itself says so in the course of the run', () => {
  const state = foldRun(revertedByItself());

  const said = state.log.map((event) => describeEvent(event, state)).filter((sentence) => sentence?.text.includes('BY ITSELF'));

  expect(said).toEqual([{ source: 'web-1', text: 'the target had REVERTED BY ITSELF: no sign of life for 15 s', tone: 'warning' }]);
});
