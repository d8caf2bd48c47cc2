import { describe, expect, it } from 'vitest';
import { foldRun } from '../../../src/journal/fold.ts';
import { headlineOf } from '../../../src/journal/fold-headline.ts';
import type { FaultStep } from '../../../src/plan/plan.ts';
import { expectUndone, failing, healthy, stepsOf } from '../../support/engine-checks.ts';
import { faultStep, longWait, testPlan, waitStep, withSteps } from '../../support/engine-plan.ts';
import { run } from '../../support/engine-run.ts';

describe('a run that goes well', () => {
  it('is held: prepared, steady, injected, verified, reverted, recovered, in this order', async () => {
    const ran = await run({ sample: healthy });

    expectUndone(ran);
    expect(ran.result).toEqual({ outcome: 'completed', verdict: 'held', rollback: 'clean', exitCode: 0 });
    const milestones = [
      'fault.prepared',
      'baseline.held',
      'fault.injecting',
      'fault.injected',
      'fault.verified',
      'fault.reverting',
      'fault.reverted',
      'rollback.finished',
      'recovery.held',
      'verdict.reached',
      'run.finished',
    ];
    expect(ran.story.filter((type) => milestones.includes(type))).toEqual(milestones);
  });

  it('announces each change in the journal before it is sent', async () => {
    const sentWhenAnnounced: number[] = [];
    const ran = await run({
      sample: healthy,
      onEvent: (event, { world }) => {
        if (event.type === 'fault.injecting')
          sentWhenAnnounced.push(world.commands.filter(({ command }) => command.startsWith('break')).length);
      },
    });

    expect(sentWhenAnnounced).toEqual([0]);
    expect(ran.world.commands.map(({ command }) => command)).toEqual([
      'look s1',
      'look s1',
      'break s1',
      'look s1',
      'look s1',
      'mend s1',
      'look s1',
    ]);
  });

  it('reverts several faults newest first, each on its own target', async () => {
    const ran = await run({ sample: healthy, plan: withSteps(faultStep('s1'), faultStep('s2', { targets: ['web-2'] }), faultStep('s3')) });

    expectUndone(ran);
    expect(stepsOf(ran, 'fault.injecting')).toEqual(['s1', 's2', 's3']);
    expect(stepsOf(ran, 'fault.reverted')).toEqual(['s3', 's2', 's1']);
    expect(ran.result.exitCode).toBe(0);
  });

  it('reverts a fault with a duration when it is over, and goes on', async () => {
    const ran = await run({ sample: healthy, plan: withSteps(faultStep('s1', { durationMs: 30 }), waitStep('s2', 10), faultStep('s3')) });

    expectUndone(ran);
    expect(ran.story.indexOf('fault.reverted')).toBeLessThan(ran.story.indexOf('step.waiting'));
    expect(stepsOf(ran, 'fault.reverted')).toEqual(['s1', 's3']);
    expect(ran.result.exitCode).toBe(0);
  });
});

describe('a fault', () => {
  const two = withSteps(faultStep('s1'), faultStep('s2', { targets: ['web-2'] }), waitStep('s3', 10));

  it('whose injection fails half-way is reverted with the others', async () => {
    const ran = await run({
      sample: healthy,
      plan: two,
      script: { s2: (usual) => ({ inject: async (context, undo) => usual.inject(context, undo).then(failing) }) },
    });

    expectUndone(ran);
    expect(stepsOf(ran, 'fault.reverted')).toEqual(['s2', 's1']);
    expect(ran.control.reason).toMatchObject({ kind: 'fault', detail: 'it broke' });
    expect(ran.result).toMatchObject({ outcome: 'aborted', exitCode: 5 });
  });

  it('that never took effect makes the run not-tested, and no later step is done', async () => {
    const ran = await run({
      sample: healthy,
      plan: two,
      script: { s1: () => ({ verify: async () => ({ effective: false, evidence: ['not there'] }) }) },
    });

    expectUndone(ran);
    expect(stepsOf(ran, 'fault.injecting')).toEqual(['s1']);
    expect(ran.result).toMatchObject({ outcome: 'completed', verdict: 'not-tested', exitCode: 7 });
  });

  it.each([
    ['with a duration', { durationMs: 30 }],
    ['without', {}],
  ])('that somebody took away meanwhile is told, %s, and is reverted all the same', async (_name, held) => {
    let looks = 0;
    const ran = await run({
      sample: healthy,
      plan: withSteps(faultStep('s1', held), faultStep('s2')),
      script: {
        s1: () => ({ verify: async () => (++looks === 1 ? { effective: true, evidence: [] } : { effective: false, evidence: ['gone'] }) }),
      },
    });

    expectUndone(ran);
    expect(ran.events.filter(({ type }) => type === 'fault.lapsed')).toMatchObject([{ step: 's1', evidence: ['gone'] }]);
    expect(ran.story.indexOf('fault.lapsed')).toBeLessThan(ran.story.indexOf('fault.reverting'));
    expect(headlineOf(foldRun(ran.events)).warnings).toEqual([expect.stringContaining('was not in effect to the end of its time (gone)')]);
    expect(ran.result).toEqual({ outcome: 'completed', verdict: 'held', rollback: 'clean', exitCode: 0 });
  });

  it('that cannot be verified stops the run and is reverted', async () => {
    const ran = await run({ sample: healthy, script: { s1: () => ({ verify: failing }) } });

    expectUndone(ran);
    expect(ran.story).toContain('fault.failed');
    expect(ran.result).toMatchObject({ outcome: 'aborted', verdict: 'not-tested', exitCode: 5 });
  });

  it('that cannot be prepared after another was injected stops the run, and that other is reverted', async () => {
    let asked = 0;
    const ran = await run({
      sample: healthy,
      plan: two,
      script: { s2: () => ({ prepare: async () => (++asked === 1 ? {} : failing()) }) },
    });

    expectUndone(ran);
    expect(stepsOf(ran, 'fault.injecting')).toEqual(['s1']);
    expect(ran.result).toMatchObject({ outcome: 'aborted', exitCode: 5 });
  });

  it('that cannot be reverted leaves the others reverted, and the end says so', async () => {
    const ran = await run({ sample: healthy, plan: two, script: { s2: () => ({ revert: failing }) } });

    expect([...ran.world.broken]).toEqual(['web-2:s2']);
    expect(ran.story.filter((type) => type === 'fault.revert-failed')).toHaveLength(3);
    expect(stepsOf(ran, 'fault.reverted')).toEqual(['s1']);
    expect(ran.result).toMatchObject({ rollback: 'unknown', exitCode: 6 });
  });

  it('that is not clean after its revert makes the rollback incomplete', async () => {
    const ran = await run({
      sample: healthy,
      plan: two,
      script: { s2: () => ({ verifyReverted: async () => ({ clean: false, evidence: ['still there'], findings: [] }) }) },
    });

    expect([...ran.world.broken]).toEqual([]);
    expect(ran.result).toMatchObject({ rollback: 'incomplete', exitCode: 6 });
  });

  it('whose first revert fails is reverted by the next', async () => {
    let tried = 0;
    const ran = await run({
      sample: healthy,
      script: { s1: (usual) => ({ revert: async (context, undo) => (++tried < 3 ? failing() : usual.revert(context, undo)) }) },
    });

    expectUndone(ran);
    expect(tried).toBe(3);
    expect(ran.result.exitCode).toBe(0);
  });

  it('whose revert hangs does not take the time of the others', async () => {
    const ran = await run({
      sample: healthy,
      plan: { ...two, timeouts: { connectMs: 1_000, prepareMs: 1_000, rollbackMs: 100 } },
      script: { s2: () => ({ revert: async ({ clock, signal }) => void (await clock.sleep(100_000, signal)) }) },
    });

    expect([...ran.world.broken]).toEqual(['web-2:s2']);
    expect(ran.result).toMatchObject({ rollback: 'unknown', exitCode: 6 });
  });

  it('with a duration that is not clean when it is over stops the run: later steps were never tried', async () => {
    let checked = 0;
    const ran = await run({
      sample: healthy,
      plan: withSteps(faultStep('s1', { durationMs: 10 }), faultStep('s2')),
      script: {
        s1: (usual) => ({
          verifyReverted: async (context, undo) =>
            ++checked <= 3 ? { clean: false, evidence: [], findings: [] } : usual.verifyReverted(context, undo),
        }),
      },
    });

    expectUndone(ran);
    expect(stepsOf(ran, 'fault.injecting')).toEqual(['s1']);
    expect(ran.result.outcome).toBe('aborted');
    expect(ran.result.exitCode).not.toBe(0);
  });

  it('is reverted over a new connection when the old one was cut', async () => {
    const ran = await run({
      sample: healthy,
      plan: withSteps(faultStep('s1'), longWait()),
      onEvent: (event, { world }) => {
        if (event.type === 'step.waiting') world.cut('web-1');
      },
    });

    expectUndone(ran);
    expect(ran.world.connects).toEqual(['web-1', 'web-2', 'web-1']);
    expect(ran.control.reason).toMatchObject({ kind: 'target-lost', target: 'web-1' });
    expect(ran.result).toMatchObject({ outcome: 'aborted', verdict: 'inconclusive', exitCode: 5 });
  });

  it('whose measures break its expectation refutes the run', async () => {
    const comparison = { operator: '<=', value: 10, unit: 'duration', text: '<= 10ms' } as const;
    const step: FaultStep = faultStep('s1', { expectations: [{ measure: 'gap', unit: 'duration', source: 'fault', comparison }] });
    const plan = withSteps(step, waitStep('s2', 40));
    const verify = (gap: number) => async () => ({ effective: true, evidence: [], measures: { gap } });
    const seen = await Promise.all([10, 11].map((gap) => run({ sample: healthy, plan, script: { s1: () => ({ verify: verify(gap) }) } })));

    expect(seen.map((ran) => ran.result.exitCode)).toEqual([0, 5]);
  });
});

describe('a defect', () => {
  it('in the engine or a part of it is an internal error, and everything is still reverted', async () => {
    const ran = await run({
      sample: healthy,
      plan: withSteps(faultStep('s1'), faultStep('s2')),
      recheck: (() => {
        let asked = 0;
        return () => {
          if (++asked > 1) throw new TypeError('a defect');
          return [];
        };
      })(),
    });

    expectUndone(ran);
    expect(ran.events.find((event) => event.type === 'run.errored')).toMatchObject({ code: 'CHAOS_INTERNAL', detail: 'a defect' });
    expect(ran.result).toMatchObject({ outcome: 'errored', exitCode: 1 });
  });

  it('in a probe that cannot be stopped does not keep the run from its end', async () => {
    const ran = await run({
      sample: healthy,
      plan: testPlan({ probes: [{ name: 'shop', kind: 'stuck', spec: {} }] }),
      probes: {
        stuck: (usual) => ({
          ...usual,
          start: (spec, context) => {
            const probe = usual.start(spec, context);
            return { ...probe, stop: async () => probe.stop().then(failing) };
          },
        }),
      },
    });

    expectUndone(ran);
    expect(ran.result.exitCode).toBe(0);
  });
});
