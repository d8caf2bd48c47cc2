import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProbeDefinition, Sample } from '../../src/probes/contract.ts';
import { probeRegistry } from '../../src/probes/registry.ts';
import { type Harness, harnesses, stageCa } from '../support/probe-harness.ts';
import { type ProbeRun, runProbe, sleep } from '../support/probe-run.ts';
import { type Act, sent } from '../support/probe-stage.ts';
import { tcpTarget } from '../support/probe-target.ts';

const timeoutMs = 800;
const timing = { rate: '8/s', timeout: `${timeoutMs}ms` };
/** Of a test machine that is busy. */
const slackMs = 1_500;
/** What a sample may say besides, when the test machine itself was too slow. */
const busy = /^(?:timeout|shed)$/;
const longestWord = 35;
const survived = 'said so, and measured well once it was mended';

const unhandled: unknown[] = [];
const note = (reason: unknown): void => {
  unhandled.push(reason);
};
beforeAll(() => {
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
});
afterAll(async () => {
  await sleep(50);
  process.off('unhandledRejection', note);
  process.off('uncaughtException', note);
  expect(unhandled).toEqual([]);
});

describe.each([...probeRegistry.values()])('probe $kind', (definition) => {
  const harness = harnesses[definition.kind] as Harness;
  if (harness.missing !== undefined) console.warn(`skipped for ${definition.kind}: ${harness.missing}`);

  it.skipIf(harness.missing !== undefined)('says in a stable word what is broken, and measures well once it is mended', async () => {
    await using working = await harness.working();
    const acts = Object.entries(harness.acts);

    const ends = await Promise.all(acts.map(([, act], index) => perform(definition, harness, act, working.port, `hostile${index}`)));

    expect(Object.fromEntries(acts.map(([name], index) => [name, ends[index]]))).toEqual(
      Object.fromEntries(acts.map(([name]) => [name, survived])),
    );
  });
});

it.concurrent.each([...probeRegistry.values()])('probe $kind is stopped within its timeout while nothing answers', async (definition) => {
  const harness = harnesses[definition.kind] as Harness;
  await using silent = await tcpTarget(() => undefined);
  const run = runProbe(definition, { ...harness.spec(silent.port), ...timing }, harness.parts(silent.port));
  await run.until(3);
  const from = performance.now();

  await Promise.all([run.probe.stop(), run.probe.stop()]);

  expect(performance.now() - from).toBeLessThan(timeoutMs + slackMs);
});

it('no probe reads more than about a mebibyte of a body of 100 MB', () => {
  // What the kernel holds for both sides is sent as well.
  expect(sent.most).toBeGreaterThan(1024 * 1024);
  expect(sent.most).toBeLessThan(16 * 1024 * 1024);
});

it('all probes together keep their memory bounded while their targets flood them', async () => {
  const chunk = Buffer.alloc(256 * 1024, 0x78);
  const before = process.memoryUsage.rss();
  const floods = [...probeRegistry.values()].map(async (definition) => {
    const harness = harnesses[definition.kind] as Harness;
    await using target = await tcpTarget((socket) => {
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.once('data', () => {
        socket.write(harness.flood);
        socket.on('drain', more);
        more();
      });
    });
    await using run = runProbe(definition, { ...harness.spec(target.port), rate: '10/s', timeout: '300ms' }, harness.parts(target.port));
    await sleep(1_000);
    return run.samples.length;
  });

  const counts = await Promise.all(floods);

  expect(process.memoryUsage.rss() - before).toBeLessThan(400 * 1024 * 1024);
  expect(Math.min(...counts)).toBeGreaterThan(2);
});

/** One act against a probe of its own; what went wrong, or that nothing did. */
async function perform(definition: ProbeDefinition, harness: Harness, act: Act, working: number, runId: string): Promise<string> {
  await using stage = await harness.stage(act, working);
  const spec = { ...harness.spec(stage.port, act.secure === true ? stageCa : undefined), ...timing, ...act.spec };
  await using run = runProbe(definition, spec, { ...harness.parts(stage.port), runId });
  const asPlayed = (): number => run.samples.filter(({ error }) => act.words.test(error ?? '')).length;
  await until(run, () => asPlayed() >= 3);
  const broken = words(run.samples);
  await stage.good();
  await until(run, () => run.samples.at(-1)?.ok === true);
  const stopping = performance.now();
  await run.probe.stop();
  const stoppedAfter = performance.now() - stopping;

  const others = broken.filter((word) => !act.words.test(word) && !busy.test(word));
  const good = run.samples.find(({ ok }) => ok);
  if (others.length > 0 || asPlayed() < 3) return `said ${broken.join(', ')}, not ${act.words}`;
  if (broken.some((word) => word.length > longestWord)) return `said too much: ${broken.join(', ')}`;
  const numbers = run.samples.filter(({ value }) => value !== undefined);
  if (numbers.some(({ ok }) => !ok)) return 'gave a number that it could not read';
  if (good !== undefined && definition.gives.includes('value') !== numbers.length > 0) return `gave ${numbers.length} numbers`;
  if (good === undefined) return `never measured well again: ${words(run.samples).join(', ')}`;
  if (stoppedAfter > timeoutMs + slackMs) return `took ${stoppedAfter} ms to stop`;
  return wrongTimes(run.samples) ?? survived;
}

function words(samples: readonly Sample[]): string[] {
  return [...new Set(samples.map(({ ok, error }) => (ok ? 'ok' : (error ?? 'no word'))))];
}

/** Waits until it `holds`, but not longer than a test has time for. */
async function until(run: ProbeRun, holds: () => boolean): Promise<void> {
  const end = run.now() + 8_000;
  while (!holds() && run.now() < end) await sleep(10);
}

function wrongTimes(samples: readonly Sample[]): string | undefined {
  const odd = samples.find(({ due, sent: asked, end }) => due > asked || asked > end || end - asked > timeoutMs + slackMs);
  if (odd !== undefined) return `a sample with odd times: ${JSON.stringify(odd)}`;
  const dues = samples.map(({ due }) => due).toSorted((a, b) => a - b);
  const [first = 0, second = 0] = dues;
  const gap = dues.findIndex((due, slot) => Math.abs(due - first - slot * (second - first)) > 1);
  return gap < 0 ? undefined : `slot ${gap} is not there`;
}
