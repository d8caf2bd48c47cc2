/** The abort rule in a run: it is fitted to the baseline, stops at the sample that is one too many, and only then and there. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Plan, PlannedSlo } from '../../../src/plan/plan.ts';
import { expectUndone, healthy } from '../../support/engine-checks.ts';
import { errorSlo, faultStep, longWait, testPlan, waitStep } from '../../support/engine-plan.ts';
import { type Ran, run, type Scenario } from '../../support/engine-run.ts';

const above = (value: number) => ({ operator: '>', value, unit: 'ratio', text: `> ${value * 100}%` }) as const;
/** Its window is so long that its own fatal level is never reached in these runs. */
const patient: Partial<PlannedSlo> = { windowMs: 60_000, fatal: above(0.4) };
const rule = { bad: 5, of: 100, consecutive: 3 };

const planOf = (changes: Partial<Plan> = {}): Plan =>
  testPlan({
    slos: [errorSlo(patient)],
    abort: rule,
    steadyState: { baselineMs: 195, recovery: { withinMs: 2_000, holdMs: 40 } },
    steps: [faultStep('s1'), longWait()],
    ...changes,
  });

/** Samples go wrong as `pattern` says, over and over, while the fault is there. */
function hurting(pattern: readonly boolean[]): NonNullable<Scenario['sample']> {
  let index = 0;
  return ({ broken }) => broken.size === 0 || (pattern[index++ % pattern.length] ?? true);
}

function fittedRule(ran: Ran) {
  const event = ran.events.find((one) => one.type === 'abort.calibrated');
  if (event?.type !== 'abort.calibrated') throw new Error('not calibrated');
  return event.rules;
}

describe('too many failures in a row', () => {
  it('stop the run long before the window of the SLO would, refute it, and the clause says why', async () => {
    const ran = await run({ plan: planOf() });

    expectUndone(ran);
    const [fitted] = fittedRule(ran);
    expect(ran.control.reason).toEqual({
      kind: 'samples',
      probe: 'shop',
      slo: 'errors',
      rule: 'consecutive',
      bad: fitted?.consecutive,
      of: fitted?.consecutive,
    });
    expect(ran.result).toEqual({ outcome: 'aborted', verdict: 'refuted', rollback: 'clean', exitCode: 5 });
    const reached = ran.events.find((event) => event.type === 'verdict.reached');
    const clause = reached?.type === 'verdict.reached' ? reached.clauses.find(({ kind }) => kind === 'slo') : undefined;
    expect(clause).toMatchObject({ name: 'errors', result: 'refuted' });
    expect(clause?.observed).toContain('samples in a row failed');
  });
});

describe('too many bad samples among the last', () => {
  it('stop the run though good ones come between them', async () => {
    const ran = await run({ plan: planOf({ slos: [errorSlo({ windowMs: 60_000, fatal: above(0.45) })] }), sample: hurting([true, false]) });

    expectUndone(ran);
    const [fitted] = fittedRule(ran);
    expect(ran.control.reason).toMatchObject({ kind: 'samples', rule: 'count', bad: fitted?.bad });
    expect(ran.result).toMatchObject({ outcome: 'aborted', verdict: 'refuted', exitCode: 5 });
  });

  it('do not, as long as the SLO itself tolerates as many', async () => {
    const ran = await run({
      plan: planOf({ slos: [errorSlo({ windowMs: 60_000, fatal: above(0.49) })], steps: [faultStep('s1'), waitStep('s2', 199)] }),
      sample: hurting([true, true, true, false]),
    });

    expectUndone(ran);
    expect(fittedRule(ran)[0]?.bad).toBe(50);
    expect(ran.result).toMatchObject({ outcome: 'completed', verdict: 'held', exitCode: 0 });
  });
});

describe('the rule', () => {
  const announced = (forMs: number) => faultStep('s1', { durationMs: 60, expectedImpact: { slos: ['errors'], forMs } });

  it('does not count announced impact', async () => {
    const ran = await run({ plan: planOf({ steps: [announced(1_000), waitStep('s2', 100)] }) });

    expectUndone(ran);
    expect(ran.result).toMatchObject({ outcome: 'completed', verdict: 'held', exitCode: 0 });
  });

  it('counts from the end of the announced impact on', async () => {
    const step = faultStep('s1', { expectedImpact: { slos: ['errors'], forMs: 150 } });
    const slos = [errorSlo({ windowMs: 60_000, fatal: above(0.9) })];
    const ran = await run({ plan: planOf({ slos, steps: [step, longWait()] }) });

    expectUndone(ran);
    const at = (type: string): number => ran.events.find((event) => event.type === type)?.t ?? Number.NaN;
    expect(at('abort.decided') - at('fault.injecting')).toBeGreaterThan(140);
    expect(ran.control.reason).toMatchObject({ kind: 'samples' });
  });

  it('is for the method only: what fails during rollback and recovery stops nothing', async () => {
    let reverted = false;
    const ran = await run({
      plan: planOf({ steps: [faultStep('s1')] }),
      sample: () => !reverted,
      onEvent: (event) => {
        if (event.type === 'fault.reverted') {
          reverted = true;
          setTimeout(() => {
            reverted = false;
          }, 60);
        }
      },
    });

    expectUndone(ran);
    expect(ran.control.reason).toBeUndefined();
    expect(ran.result.exitCode).toBe(0);
  });

  it('that is off, or not in the plan, stops nothing and is not calibrated', async () => {
    const { abort: _none, ...without } = planOf({ steps: [faultStep('s1', { durationMs: 60 }), waitStep('s2', 100)] });
    const runs = await Promise.all([run({ plan: without }), run({ plan: { ...without, abort: 'off' } })]);

    for (const ran of runs) {
      expectUndone(ran);
      expect(ran.story).not.toContain('abort.calibrated');
      expect(ran.result).toMatchObject({ outcome: 'completed', verdict: 'held' });
    }
  });

  it('is raised by a baseline in which samples failed, and recorded with what was seen', async () => {
    let index = 0;
    const ran = await run({ plan: planOf({ steps: [faultStep('s1')] }), sample: () => index++ % 10 !== 0 });

    expectUndone(ran);
    const [fitted] = fittedRule(ran);
    expect(fitted?.baseline.bad).toBeGreaterThan(0);
    expect(fitted?.bad).toBeGreaterThan(10);
    expect(fitted?.falseAborts).toBeLessThanOrEqual(0.01);
    expect(ran.story.indexOf('abort.calibrated')).toBeLessThan(ran.story.indexOf('baseline.held'));
  });

  it('that no count can fit ends the run before anything is injected', async () => {
    let index = 0;
    const slos = [errorSlo({ windowMs: 60_000, fatal: above(0.48) })];
    const ran = await run({ plan: planOf({ slos }), sample: () => index++ % 5 < 3 });

    expect(ran.story).not.toContain('fault.injecting');
    expect(ran.events.find((event) => event.type === 'baseline.failed')).toMatchObject({
      detail: expect.stringContaining('not steady enough to tell an effect: SLO errors: '),
    });
    expect(ran.result).toMatchObject({ verdict: 'not-tested', exitCode: 4 });
  });

  it('is fitted while the probes go on: what breaks meanwhile is not steady either', async () => {
    let hurt = false;
    const ran = await run({
      plan: planOf({ slos: [errorSlo({ windowMs: 150 })] }),
      sample: () => !hurt,
      recorder: (record) => async (body) => {
        if (body.type === 'abort.calibrated') {
          hurt = true;
          await sleep(80);
        }
        await record(body);
      },
    });

    expect(ran.story).toContain('abort.calibrated');
    expect(ran.story).not.toContain('fault.injecting');
    expect(ran.result).toMatchObject({ verdict: 'not-tested', exitCode: 4 });
  });

  it('with nothing wrong lets a run be held', async () => {
    const ran = await run({ plan: planOf({ steps: [faultStep('s1'), waitStep('s2', 100)] }), sample: healthy });

    expectUndone(ran);
    expect(ran.result.exitCode).toBe(0);
  });
});
