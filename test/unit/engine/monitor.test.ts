import { describe, expect, it } from 'vitest';
import type { LedgerResult } from '../../../src/probes/contract.ts';
import { expectUndone, failing, healthy } from '../../support/engine-checks.ts';
import { errorSlo, faultStep, longWait, testPlan, waitStep, withSteps } from '../../support/engine-plan.ts';
import { type Ran, run, type Scenario } from '../../support/engine-run.ts';

/** A run whose SLO looks at the last 150 ms only, so that it breaks and comes back quickly. */
const runQuick = (scenario: Scenario): Promise<Ran> => {
  const plan = scenario.plan ?? testPlan();
  return run({ ...scenario, plan: { ...plan, slos: plan.slos.map((slo) => ({ ...slo, windowMs: 150 })) } });
};

describe('an SLO', () => {
  it('that reaches its fatal level during the method stops the run once, and everything is reverted', async () => {
    const ran = await runQuick({ plan: withSteps(faultStep('s1'), faultStep('s2'), longWait()) });

    expectUndone(ran);
    expect(ran.control.reason).toMatchObject({ kind: 'slo', slo: 'errors', threshold: '> 10%' });
    expect(ran.result).toMatchObject({ outcome: 'aborted', verdict: 'refuted', exitCode: 5 });
  });

  it('may break as long as it was announced, and the hypothesis can hold', async () => {
    const step = faultStep('s1', { durationMs: 60, expectedImpact: { slos: ['errors'], forMs: 1_000 } });
    const ran = await runQuick({ plan: withSteps(step, waitStep('s2', 150)) });

    expectUndone(ran);
    expect(ran.story).toContain('slo.breached');
    expect(ran.result).toMatchObject({ outcome: 'completed', verdict: 'held', exitCode: 0 });
  });

  it('that stays broken longer than announced stops the run then', async () => {
    const step = faultStep('s1', { expectedImpact: { slos: ['errors'], forMs: 150 } });
    const ran = await runQuick({ plan: withSteps(step, longWait()) });

    expectUndone(ran);
    const at = (type: string): number => ran.events.find((event) => event.type === type)?.t ?? Number.NaN;
    expect(at('abort.decided') - at('fault.injecting')).toBeGreaterThan(100);
    expect(ran.result).toMatchObject({ outcome: 'aborted', verdict: 'refuted', exitCode: 5 });
  });

  it('announced for one SLO stops the run for another', async () => {
    const slos = [errorSlo(), errorSlo({ name: 'others' })];
    const steps = [faultStep('s1', { expectedImpact: { slos: ['errors'], forMs: 60_000 } }), longWait()];
    const ran = await runQuick({ plan: testPlan({ slos, steps }) });

    expectUndone(ran);
    expect(ran.control.reason).toMatchObject({ kind: 'slo', slo: 'others' });
  });

  it('that does not come back after the revert refutes the run', async () => {
    const plan = testPlan({
      steps: [faultStep('s1', { expectedImpact: { slos: ['errors'], forMs: 60_000 } })],
      steadyState: { baselineMs: 60, recovery: { withinMs: 100, holdMs: 20 } },
    });
    let hurt = false;
    const ran = await runQuick({
      plan,
      sample: () => !hurt,
      onEvent: (event) => {
        if (event.type === 'fault.injected') hurt = true;
      },
    });

    expectUndone(ran);
    expect(ran.story).toContain('recovery.failed');
    expect(ran.result).toMatchObject({ outcome: 'completed', verdict: 'refuted', exitCode: 5 });
  });

  it('broken before anything was injected ends the run there', async () => {
    const ran = await runQuick({ sample: () => false });

    expect(ran.story).toContain('baseline.failed');
    expect(ran.story).not.toContain('fault.injecting');
    expect(ran.world.commands.map(({ command }) => command)).toEqual(['look s1']);
    expect(ran.result).toMatchObject({ verdict: 'not-tested', exitCode: 4 });
  });

  it('without a single sample is not steady', async () => {
    const ran = await runQuick({ sample: () => undefined });

    expect(ran.story).not.toContain('fault.injecting');
    expect(ran.result.exitCode).toBe(4);
  });
});

describe('the limits of a run', () => {
  it('a probe that falls silent stops it', async () => {
    let silent = false;
    let passing: NodeJS.Timeout | undefined;
    const ran = await run({
      plan: withSteps(faultStep('s1'), longWait()),
      sample: () => (silent ? undefined : true),
      onEvent: (event, { jump }) => {
        if (event.type !== 'step.waiting') return;
        silent = true;
        // In parts: a clock that jumps far at once is a runner that stood still.
        passing = setInterval(() => jump(2_000), 260);
      },
    });
    clearInterval(passing);

    expectUndone(ran);
    expect(ran.control.reason).toMatchObject({ kind: 'silence', probe: 'shop' });
    expect(ran.result).toMatchObject({ outcome: 'aborted', verdict: 'inconclusive', exitCode: 5 });
  });

  it('a runner that itself stood still proves nothing', async () => {
    const ran = await run({
      plan: withSteps(faultStep('s1'), longWait()),
      sample: healthy,
      onEvent: (event, { jump }) => {
        if (event.type === 'step.waiting') jump(5_000);
      },
    });

    expectUndone(ran);
    expect(ran.control.reason).toMatchObject({ kind: 'guard', guard: 'runner-health' });
    expect(ran.result).toMatchObject({ outcome: 'aborted', verdict: 'inconclusive', exitCode: 5 });
  });

  it('its deadline stops it', async () => {
    const ran = await run({
      sample: healthy,
      plan: testPlan({ steps: [faultStep('s1'), longWait()], limits: { maxTargets: 1, maxShare: 1, maxDurationMs: 60 } }),
    });

    expectUndone(ran);
    expect(ran.control.reason).toEqual({ kind: 'deadline', limitMs: 60 });
    expect(ran.result).toMatchObject({ outcome: 'aborted', verdict: 'inconclusive', exitCode: 5 });
  });

  it('a guard that refuses the second fault stops it, and the first is reverted', async () => {
    let asked = 0;
    const ran = await run({
      sample: healthy,
      plan: withSteps(faultStep('s1'), faultStep('s2')),
      recheck: () => [{ guard: 'halt', allowed: ++asked < 2, reason: 'halted' }],
    });

    expectUndone(ran);
    expect(ran.control.reason).toEqual({ kind: 'guard', guard: 'halt', detail: 'halted' });
  });
});

describe('the write ledger', () => {
  const ledger: LedgerResult = {
    probe: 'shop',
    survivor: 'web-2',
    writes: 10,
    durable: 9,
    lost: 1,
    indeterminate: 0,
    rejected: 0,
    longestGap: { from: 0, ms: 5 },
  };
  const comparison = { operator: '==', value: 0, unit: 'count', text: '== 0' } as const;
  const plan = withSteps(
    faultStep('s1', { expectations: [{ measure: 'lostWrites', unit: 'count', source: 'shop', comparison }] }),
    waitStep('s2', 40),
  );

  it('refutes a run that lost an acknowledged write, and lets one pass that lost none', async () => {
    const settled = [ledger, { ...ledger, durable: 10, lost: 0 }].map((result) =>
      run({ sample: healthy, plan, settle: async () => result }),
    );
    expect((await Promise.all(settled)).map((ran) => ran.result.exitCode)).toEqual([5, 0]);
  });

  it('that cannot be read makes the run inconclusive, never held', async () => {
    const ran = await run({ sample: healthy, plan, settle: failing });

    expectUndone(ran);
    expect(ran.story).toContain('ledger.unknown');
    expect(ran.result).toMatchObject({ verdict: 'inconclusive', exitCode: 7 });
  });

  it('without any acknowledged write proves nothing', async () => {
    const ran = await run({ sample: healthy, plan, settle: async () => ({ ...ledger, writes: 10, durable: 0, lost: 0, rejected: 10 }) });
    expect(ran.result).toMatchObject({ verdict: 'inconclusive', exitCode: 7 });
  });
});

describe('a prober', () => {
  it('that stood still for a moment of the baseline does not call the target unsteady', async () => {
    let nth = 0;
    const still = (): boolean => nth > 10 && nth <= 14;
    const plan = testPlan({ steadyState: { baselineMs: 190, recovery: { withinMs: 1_000, holdMs: 20 } } });
    const ran = await run({
      plan: { ...plan, slos: plan.slos.map((slo) => ({ ...slo, windowMs: 30 })) },
      sample: () => {
        nth++;
        return !still();
      },
      own: () => (still() ? 1 : 0),
    });

    expect(ran.story).not.toContain('baseline.failed');
    expect(ran.story).toContain('fault.injecting');
  });

  it('that stood still while samples failed makes the verdict inconclusive, not refuted', async () => {
    const ran = await runQuick({
      plan: withSteps(faultStep('s1', { durationMs: 200 }), waitStep('s2', 100)),
      own: ({ broken }) => (broken.size === 0 ? 0 : 1),
    });

    expectUndone(ran);
    expect(ran.story).not.toContain('abort.decided');
    expect(ran.result).toMatchObject({ outcome: 'completed', verdict: 'inconclusive', exitCode: 7 });
  });

  it('that did not look for a tenth of the time cannot say that an SLO held', async () => {
    const ran = await runQuick({
      plan: withSteps(faultStep('s1'), waitStep('s2', 200)),
      sample: healthy,
      onSampling: (listener, { broken }) => {
        const timer = setInterval(() => {
          if (broken.size === 0) return;
          clearInterval(timer);
          listener.invalid({ from: 1, to: 5_001, ms: 5_000, cause: 'stalled', detail: 'its event loop stood still' });
        }, 2);
      },
    });

    expectUndone(ran);
    expect(ran.story).toContain('prober.invalid');
    expect(ran.result).toMatchObject({ outcome: 'completed', verdict: 'inconclusive', exitCode: 7 });
  });

  it('that cannot vouch for more than ten seconds stops the run', async () => {
    const ran = await runQuick({
      plan: withSteps(faultStep('s1'), longWait()),
      sample: healthy,
      onSampling: (listener, { broken }) => {
        const timer = setInterval(() => {
          if (broken.size === 0) return;
          clearInterval(timer);
          for (const from of [0, 6_000]) listener.invalid({ from, to: from + 5_500, ms: 5_500, cause: 'loopback', detail: 'EMFILE' });
        }, 5);
      },
    });

    expectUndone(ran);
    expect(ran.control.reason).toMatchObject({ kind: 'guard', guard: 'runner-health', detail: expect.stringContaining('EMFILE') });
    expect(ran.result).toMatchObject({ outcome: 'aborted', verdict: 'inconclusive', exitCode: 5 });
  });

  it('that dies stops the run', async () => {
    const ran = await runQuick({
      plan: withSteps(faultStep('s1'), longWait()),
      sample: healthy,
      onSampling: ({ died }, { broken }) => {
        const timer = setInterval(() => {
          if (broken.size === 0) return;
          clearInterval(timer);
          died(new Error('the sampling thread ended'));
        }, 5);
      },
    });

    expectUndone(ran);
    expect(ran.control.reason).toMatchObject({ kind: 'guard', detail: 'the sampling thread ended' });
    expect(ran.result).toMatchObject({ outcome: 'aborted', verdict: 'inconclusive', exitCode: 5 });
  });
});
