import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { Sample } from '../../src/probes/contract.ts';
import { probeRegistry } from '../../src/probes/registry.ts';
import { type Harness, harnesses } from '../support/probe-harness.ts';
import { type ProbeRun, runProbe, sleep } from '../support/probe-run.ts';
import { closedPort } from '../support/probe-target.ts';

const timeoutMs = 300;
const rate = 50;
const timing = { rate: `${rate}/s`, timeout: `${timeoutMs}ms` };

const unhandled: unknown[] = [];
const note = (reason: unknown): void => {
  unhandled.push(reason);
};
beforeAll(() => {
  process.on('unhandledRejection', note);
});
afterAll(async () => {
  await sleep(50);
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

/** What all probes need, and no probe. */
const shared = new Set(['sampling']);

describe('the probe registry', () => {
  it('has every folder in src/probes, under its name', () => {
    const folders = readdirSync(join(import.meta.dirname, '../../src/probes'), { withFileTypes: true }).filter(
      (entry) => entry.isDirectory() && !shared.has(entry.name),
    );

    expect([...probeRegistry.keys()].toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
    for (const [key, definition] of probeRegistry) expect(definition.kind).toBe(key);
  });

  it('has a harness for every probe in this suite', () => {
    expect(Object.keys(harnesses).toSorted()).toEqual([...probeRegistry.keys()].toSorted());
  });
});

describe.each([...probeRegistry.values()])('probe $kind', (definition) => {
  const harness = harnesses[definition.kind] as Harness;
  if (harness.missing !== undefined) console.warn(`skipped for ${definition.kind}: ${harness.missing}`);

  const start = (port: number, spec: Record<string, unknown> = {}): ProbeRun =>
    runProbe(definition, { ...harness.spec(port), ...timing, ...spec }, harness.parts(port));

  it('has a strict schema in which every field is described, and a summary', () => {
    const schema = z.toJSONSchema(definition.spec, { io: 'input' });

    expect(schema.additionalProperties).toBe(false);
    expect(definition.summary).toMatch(/^[A-Z].*\.$/);
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      expect(field, name).toMatchObject({ description: expect.stringMatching(/^[A-Z].*\.$/) });
    }
    expect(definition.spec.safeParse({ ...harness.spec(1), surprise: 1 }).success).toBe(false);
  });

  it('parses a spec to plain data that parses to itself', () => {
    const spec = definition.spec.parse(harness.spec(1));

    expect(definition.spec.parse(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
    expect(definition.longestSampleMs(definition.spec.parse({ ...harness.spec(1), ...timing }))).toBe(timeoutMs + 1_000 / rate);
  });

  it('can be stopped before its first sample, and more than once', async () => {
    const run = start(await closedPort());

    await Promise.all([run.probe.stop(), run.probe.stop()]);
    await run.probe.stop();
    const count = run.samples.length;
    await sleep(100);

    expect(run.samples).toHaveLength(count);
  });

  it.skipIf(harness.missing !== undefined)(
    'measures well again when its target comes back, and shows a pause to its full length',
    async () => {
      await using target = await harness.working();
      await using run = start(target.port, { timeout: '2s', rate: '100/s' });
      await untilGood(run);

      const pausedAt = run.now();
      await target.pause(500);
      const resumedAt = run.now();
      await untilGood(run);
      const awayFrom = run.now();
      await target.goAway();
      await sleep(300);
      await target.comeBack();
      await untilGood(run);
      await expectStops(run);

      expectNoSlotSkipped(run.samples);
      const inPause = run.samples.filter(({ due }) => due > pausedAt + 100 && due < resumedAt - 50);
      expect(inPause.length).toBeGreaterThan(25);
      // No coordinated omission: every slot of the pause waited for its end, and says so.
      expect(inPause.every(({ due, end }) => end >= resumedAt - 40 && end - due >= resumedAt - 40 - due)).toBe(true);
      expect(Math.max(...run.samples.filter(({ end }) => end < awayFrom).map(({ due, end }) => end - due))).toBeGreaterThan(380);
      expect(run.samples.filter(({ due, ok }) => due > awayFrom && !ok).length).toBeGreaterThan(10);
    },
  );
});

async function expectStops(run: ProbeRun): Promise<void> {
  const from = performance.now();
  await run.probe.stop();
  expect(performance.now() - from).toBeLessThan(3_000);
}

function expectNoSlotSkipped(samples: readonly Sample[]): void {
  const dues = samples.map(({ due }) => due).toSorted((a, b) => a - b);
  const step = (dues[1] ?? 0) - (dues[0] ?? 0);
  for (const [slot, due] of dues.entries()) expect(Math.abs(due - (dues[0] ?? 0) - slot * step)).toBeLessThan(1);
}

async function untilGood(run: ProbeRun): Promise<void> {
  const from = run.samples.length;
  const end = performance.now() + 8_000;
  while (
    !run.samples
      .slice(from)
      .slice(-10)
      .every(({ ok }) => ok) ||
    run.samples.length < from + 10
  ) {
    if (performance.now() > end) throw new Error(`not good within 8 s: ${run.samples.at(-1)?.error}`);
    await sleep(10);
  }
}
