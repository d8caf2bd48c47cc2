/** A runner that stands still itself never blames the target. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { isDoubtful, latencyOf } from '../../src/probes/samples.ts';
import { environmentLike, experiment } from '../support/e2e-experiments.ts';
import { journalOf, TempProject } from '../support/e2e-project.ts';

const step =
  '{ fault: command, on: { group: checkout, count: 1 }, with: { inject: "touch calm", verify: "[ -e calm ]", revert: "rm -f calm" }, duration: 14s }';
const limitMs = 400;

test('a second in which the runner is stopped breaks no SLO, and none is said to have held then', async () => {
  await using place = new TempProject();
  const environment = environmentLike(await place.labUp(), 'strict', (text) =>
    text.replaceAll('window: 10s', 'window: 2s').replace(/severe: "> 500ms", fatal: "> 900ms"/, `fatal: "> ${limitMs}ms"`),
  );
  place.write(
    'experiments/calm.yaml',
    experiment({ name: 'calm', baseline: '2s', slos: ['checkout-errors', 'checkout-latency'], steps: [step] }),
  );
  await using run = place.start(['run', 'calm', '--env', environment]);
  await run.waitForEvent('fault.verified');
  await sleep(3_000);
  run.signal('SIGSTOP');
  await sleep(1_000);
  run.signal('SIGCONT');
  const { exitCode, stderr } = await run.done;

  const [name = ''] = place.runFolders();
  const events = journalOf(join(place.reports, name));
  const samples = events.flatMap((event) => (event.type === 'probe.sampled' && event.probe === 'checkout' ? event.samples : []));
  const late = samples.filter((sample) => latencyOf(sample) > limitMs);
  const blind = events.flatMap((event) => (event.type === 'prober.invalid' ? [event.ms] : []));
  // Errors are counted all the same: a request that was answered well late was answered well.
  expect(exitCode, stderr).toBe(7);
  expect(events.find((event) => event.type === 'verdict.reached')).toMatchObject({
    verdict: 'inconclusive',
    because: 'not measured: checkout-latency',
  });
  expect(events.filter(({ type }) => type === 'slo.breached' || type === 'abort.decided')).toEqual([]);
  expect(late.length).toBeGreaterThan(3);
  expect(late.filter((sample) => !isDoubtful(sample))).toEqual([]);
  expect(Math.max(...blind)).toBeGreaterThan(900);
  expect(readFileSync(join(place.reports, name, 'report.md'), 'utf8')).toMatch(
    /in all it did not look at the target; the longest: 1\.?\d*\.?\d* s/,
  );
});
