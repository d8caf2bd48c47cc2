import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { experiment, failoverStep, killStep, quickEnvironment } from '../support/e2e-experiments.ts';
import { TempProject } from '../support/e2e-project.ts';
import { ctrlC, inTerminal, noTerminal, type TerminalSession } from '../support/e2e-terminal.ts';

const missing = noTerminal();
if (missing !== undefined) process.stderr.write(`skipped: ${missing}\n`);

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const colour = /\u001b\[[\d;]*m/;

/** Whatever was drawn in between, the person gets a usable terminal back. */
function expectCursorBack(output: string): void {
  expect(output).toContain(hideCursor);
  expect(output.lastIndexOf(showCursor)).toBeGreaterThan(output.lastIndexOf(hideCursor));
}

describe.runIf(missing === undefined)('in a terminal', () => {
  let place: TempProject;
  let environment: string;
  beforeAll(async () => {
    place = new TempProject();
    place.write('experiments/kill.yaml', experiment({ name: 'kill', steps: [killStep, 'wait: 2s'] }));
    place.write('experiments/slow.yaml', experiment({ name: 'slow', steps: [failoverStep('mode: crash, promoteAfter: 10s')] }));
    environment = quickEnvironment(await place.labUp());
  });
  afterAll(async () => {
    await place[Symbol.asyncDispose]();
  });

  const run = (name: string, more: { readonly columns?: number; readonly env?: Record<string, string> } = {}): TerminalSession =>
    inTerminal(['run', name, '--env', environment], {
      cwd: place.project,
      env: { TMPDIR: place.tmp, ...more.env },
      ...(more.columns === 0 ? {} : { columns: more.columns ?? 100 }),
    });

  test('a run is drawn live, in colour, in place, and the cursor is back afterwards', async () => {
    await using session = run('kill');

    const exitCode = await session.exitCode;

    const output = session.output();
    expect(exitCode, output.slice(-2_000)).toBe(0);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
    expect(output).toMatch(/\u001b\[\d+[AF]/);
    expect(output).toMatch(colour);
    expect(output).toContain('HELD');
    expectCursorBack(output);
  });

  test('Ctrl-C stops it in good order: exit code 130, nothing injected, the cursor is back', async () => {
    await using session = run('kill');
    await session.see(/baseline/);

    session.type(ctrlC);
    const exitCode = await session.exitCode;

    expect(exitCode, session.output().slice(-2_000)).toBe(130);
    expect(session.output()).toContain('nothing was injected');
    expectCursorBack(session.output());
  });

  test('a third Ctrl-C exits at once with the cursor back, and recover finishes what it left', async () => {
    await using session = run('slow');
    await session.see(/primary-down/);

    session.type(ctrlC);
    await session.see(/rollback/);
    session.type(ctrlC);
    await session.see(/would leave behind/);
    session.type(ctrlC);
    const exitCode = await session.exitCode;

    expect(exitCode, session.output().slice(-2_000)).toBe(130);
    expectCursorBack(session.output());
    const recover = await place.chaos(['recover']);
    expect(recover.exitCode, recover.stderr).toBe(7);
    expect((await place.labStatus()).healthy).toBe(true);
  });

  test.each([
    ['narrow', { columns: 30 }],
    ['of unknown size', { columns: 0 }],
  ] as const)('a terminal that is %s is no reason to fail', async (_what, size) => {
    await using session = run('kill', size);
    await session.see(/baseline/);

    session.type(ctrlC);

    expect(await session.exitCode, session.output().slice(-2_000)).toBe(130);
    expectCursorBack(session.output());
  });

  test('NO_COLOR leaves the colours out, TERM=dumb every control sequence', async () => {
    await using plain = run('kill', { env: { NO_COLOR: '1' } });
    await plain.see(/baseline/);
    plain.type(ctrlC);
    await plain.exitCode;
    await using dumb = run('kill', { env: { TERM: 'dumb' } });
    await dumb.see(/baseline/);
    dumb.type(ctrlC);
    await dumb.exitCode;

    expect(plain.output()).not.toMatch(colour);
    expect(dumb.output()).not.toContain('\u001b');
  });
});
