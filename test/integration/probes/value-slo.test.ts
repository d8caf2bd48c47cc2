import { describe, expect, it } from 'vitest';
import { describeAbort } from '../../../src/core/abort.ts';
import { foldRun } from '../../../src/journal/fold.ts';
import type { PlannedSlo } from '../../../src/plan/plan.ts';
import { prometheusProbe } from '../../../src/probes/prometheus/index.ts';
import { renderReport } from '../../../src/report/markdown.ts';
import { expectUndone } from '../../support/engine-checks.ts';
import { errorSlo, faultStep, longWait, testPlan } from '../../support/engine-plan.ts';
import { type Ran, run } from '../../support/engine-run.ts';
import { FakeWorld } from '../../support/engine-world.ts';
import { vector } from '../../support/probe-harness.ts';
import { httpTarget } from '../../support/probe-target.ts';

/** A run whose monitoring says `whole` while nothing is broken, and `broken` after that. */
async function watched(slo: Partial<PlannedSlo>, whole: readonly string[], broken: readonly string[]): Promise<Ran> {
  const world = new FakeWorld();
  await using target = await httpTarget((_request, response) => response.end(vector(...(world.broken.size === 0 ? whole : broken))));
  const spec = { url: target.url, query: 'replicas_up', rate: '100/s', timeout: '500ms' };
  return await run({
    world,
    probes: { prometheus: () => prometheusProbe },
    plan: testPlan({
      probes: [{ name: 'replicas', kind: 'prometheus', spec }],
      slos: [errorSlo({ name: 'replicas-up', probe: 'replicas', measure: 'value', unit: 'count', ...slo })],
      steadyState: { baselineMs: 3_000, recovery: { withinMs: 4_000, holdMs: 40 } },
      steps: [faultStep('s1'), longWait()],
    }),
  });
}

describe('an SLO over a value', () => {
  it('stops the run when the value falls below its fatal level, and everything is in plain numbers', async () => {
    const ran = await watched({ fatal: { operator: '<', value: 2, unit: 'count', text: '< 2' } }, ['3'], ['1']);

    expectUndone(ran);
    expect(ran.result).toMatchObject({ outcome: 'aborted', verdict: 'refuted', exitCode: 5 });
    expect(ran.control.reason && describeAbort(ran.control.reason)).toMatch(
      /^SLO replicas-up reached its fatal level: 1 \(limit < 2, \d+ samples\)$/,
    );
    // The fewest are the worst.
    expect(ran.events.find((event) => event.type === 'verdict.reached')).toMatchObject({
      clauses: expect.arrayContaining([expect.objectContaining({ name: 'replicas-up', observed: expect.stringMatching(/^worst 1,/) })]),
    });
    const values = ran.events.flatMap((event) => (event.type === 'probe.sampled' ? event.samples.map(({ value }) => value) : []));
    expect(new Set(values)).toEqual(new Set([3, 1]));
    const { markdown } = renderReport(foldRun(ran.events));
    expect(markdown).toMatch(/\| `replicas` \| 3 \| 1 to 3 \| \d+ \(< 2\) \|/);
  });

  it('has no data when the monitoring has none, which is never steady', async () => {
    const ran = await watched({ fatal: { operator: '>', value: 5, unit: 'count', text: '> 5' } }, [], []);

    expect(ran.result).toMatchObject({ verdict: 'not-tested', exitCode: 4 });
    expect(ran.story).not.toContain('fault.injecting');
    const errors = ran.events.flatMap((event) => (event.type === 'probe.sampled' ? event.samples.map(({ error }) => error) : []));
    expect(new Set(errors)).toEqual(new Set(['empty result']));
  });
});
