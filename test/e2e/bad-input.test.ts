import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chaosBin } from '../support/cli.ts';
import { experiment, killStep } from '../support/e2e-experiments.ts';
import { TempProject } from '../support/e2e-project.ts';

const manyMistakes = `apiVersion: chaos/v1
kind: Experiment
name: many
title: A file with many mistakes
owner: test
colour: red
hypothesis: The shop goes on.
steadyState:
  baseline: 3 parsecs
  slos: [checkout-errors]
method:
  - fault: proces-kill
    on: { host: checkout-1 }
`;

const unknownNames = `apiVersion: chaos/v1
kind: Experiment
name: names
title: Names that mean nothing there
owner: test
hypothesis: The shop goes on.
steadyState:
  slos: [checkout-erors]
method:
  - fault: process-kill
    on: { host: checkout-9 }
    with: { pidFile: run/checkout.pid }
  - fault: process-kill
    on: { group: checkout, exclude: [checkout-1, checkout-2] }
    with: { pidFile: run/checkout.pid }
`;

let place: TempProject;
beforeAll(() => {
  place = new TempProject();
  place.write('experiments/many.yaml', manyMistakes);
  place.write('experiments/names.yaml', unknownNames);
  place.write('experiments/fine.yaml', experiment({ name: 'fine', steps: [killStep] }));
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

/** `FILE:LINE:COLUMN` of everything that was reported, in order. */
const places = (text: string): string[] => [...text.matchAll(/^(\S+:\d+:\d+) error: /gm)].map((match) => match[1] ?? '');

function expectNothingStarted(): void {
  expect(place.labFolders()).toEqual([]);
  expect(place.runFolders()).toEqual([]);
}

describe('an experiment with mistakes', () => {
  test('is told all of them at once, each with its place and a way out, and nothing is started', async () => {
    const run = await place.chaos(['run', 'many']);

    expect(run.exitCode).toBe(2);
    expect(places(run.stderr)).toEqual(['experiments/many.yaml:6:1', 'experiments/many.yaml:9:13', 'experiments/many.yaml:12:12']);
    expect(run.stderr).toContain('unknown key "colour"');
    expect(run.stderr).toContain('expected a duration such as 30s, got "3 parsecs"');
    expect(run.stderr).toContain('did you mean "process-kill"?');
    expect(run.stdout).toBe('');
    expectNothingStarted();
  });

  test('is told which host and SLO do not exist, and which selector is empty, before any lab is started', async () => {
    const run = await place.chaos(['run', 'names']);

    expect(run.exitCode).toBe(2);
    expect(places(run.stderr)).toEqual(['experiments/names.yaml:8:10', 'experiments/names.yaml:11:17', 'experiments/names.yaml:14:37']);
    expect(run.stderr).toContain('did you mean "checkout-errors"?');
    expect(run.stderr).toContain('checkout-9');
    expect(run.stderr).toContain('no host is left');
    expectNothingStarted();
  });

  // Names are only looked up in files whose shape is right; whoever changes that deletes `.fails`.
  test('is told of an unknown host together with mistakes of shape', async () => {
    place.write('experiments/both.yaml', manyMistakes.replace('name: many', 'name: both').replace('host: checkout-1', 'host: checkout-9'));

    const run = await place.chaos(['run', 'both']);

    expect(places(run.stderr)).toContain('experiments/both.yaml:13:17');
  });

  test('is reported as one JSON object on stdout with --json', async () => {
    const run = await place.chaos(['run', 'many', '--json']);

    expect(run.exitCode).toBe(2);
    expect(run.stderr).toBe('');
    const report = JSON.parse(run.stdout) as { diagnostics: { file: string; line: number; column: number; code: string }[] };
    expect(report).toMatchObject({ version: 1, valid: false, errors: 3 });
    expect(report.diagnostics.map(({ line, column, code }) => `${line}:${column} ${code}`)).toEqual([
      '6:1 unknown-key',
      '9:13 bad-duration',
      '12:12 unknown-fault',
    ]);
  });

  test('keeps validate from passing, while a right file passes', async () => {
    const [all, fine] = await Promise.all([place.chaos(['validate']), place.chaos(['validate', 'fine'])]);

    expect(all.exitCode).toBe(2);
    expect(places(all.stderr)).toContain('experiments/many.yaml:6:1');
    expect(fine.exitCode).toBe(0);
    expect(fine.stderr).toContain('1 file valid');
  });
});

describe('a command line with mistakes', () => {
  test.each([
    ['an experiment that does not exist', ['run', 'fin'], 'did you mean "fine"?'],
    ['a file that does not exist', ['run', 'experiments/none.yaml'], 'experiments/none.yaml does not exist'],
    ['an environment that does not exist', ['plan', 'fine', '--env', 'nowhere'], 'no environment named "nowhere"'],
    ['no experiment', ['run'], "missing required argument 'experiment'"],
    ['an unknown option', ['run', 'fine', '--plan-hsh', '12345678'], 'Did you mean --plan-hash?'],
    ['an unknown command', ['rnu', 'fine'], 'Did you mean run?'],
    ['a lab and an environment at once', ['run', 'fine', '--env', 'a', '--lab', 'b'], '--env and --lab exclude each other'],
    ['a lab that does not exist', ['run', 'fine', '--lab', 'aaaaaa'], 'there is no lab aaaaaa'],
    ['a choice that there is not', ['lab', 'up', '--replication', 'maybe'], 'Allowed choices are sync, async'],
    ['a port that is none', ['lab', 'up', '--base-port', 'eighty'], 'expected a port from 1024 to 32758, got "eighty"'],
    ['a run that does not exist', ['recover', 'zzzzzz'], 'no run zzzzzz'],
    ['a report of no run', ['report', 'zzzzzz'], 'no run zzzzzz'],
    ['a shell on no lab', ['lab', 'ssh', 'db-a'], 'chaos lab up starts one'],
  ])('%s: exit code 2, the reason, and nothing started', async (_what, args, reason) => {
    const run = await place.chaos(args);

    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain(reason);
    expect(run.stderr).not.toMatch(/\n\s+at /);
    expectNothingStarted();
  });

  test('outside any project: exit code 2 and the command that makes one', async () => {
    const run = await place.chaos(['run', 'fine'], { cwd: place.tmp });

    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain('CHAOS_NO_PROJECT');
    expect(run.stderr).toContain('help: chaos init');
  });

  test('a hash of another plan: refused with exit code 3, nothing recorded, and the lab that was started for it is gone', async () => {
    const run = await place.chaos(['run', 'fine', '--plan-hash', '0123456789ab']);

    expect(run.exitCode).toBe(3);
    expect(run.stderr).toContain('not 0123456789ab');
    expect(run.stderr).toContain('nothing was injected');
    expectNothingStarted();
  });
});

test('a reader that goes away gets no stack', () => {
  const piped = ['-c', `{ "$0" "$1" --help; echo "exit $?" >&2; } | true`, process.execPath, chaosBin];

  const { stderr } = spawnSync('sh', piped, { encoding: 'utf8' });

  expect(stderr).toBe('exit 0\n');
});
