import { describe, expect, it } from 'vitest';
import { ChaosError } from '../../../src/core/errors.ts';
import { becauseOf, healthy } from '../../support/engine-checks.ts';
import { faultStep, testPlan, withSteps } from '../../support/engine-plan.ts';
import { noSecrets, type Ran, run, type Scenario } from '../../support/engine-run.ts';
import { FakeWorld } from '../../support/engine-world.ts';

describe('what refuses', () => {
  const refused = async (scenario: Scenario): Promise<Ran> => {
    const ran = await run({ sample: healthy, ...scenario });
    expect(ran.story).not.toContain('fault.injecting');
    expect(ran.world.commands.some(({ command }) => command.startsWith('break'))).toBe(false);
    expect(ran.result).toMatchObject({ outcome: 'refused', verdict: 'not-tested', rollback: 'clean', exitCode: 3 });
    expect(ran.world.open.size).toBe(0);
    return ran;
  };

  it('a guard in the plan: no connection is made', async () => {
    const ran = await refused({ plan: testPlan({ guards: [{ guard: 'freeze', allowed: false, reason: 'Friday', remedy: 'wait' }] }) });
    expect(ran.world.connects).toEqual([]);
    expect(becauseOf(ran)).toContain('freeze: Friday (wait)');
  });

  it('a guard that changed its mind before the injection', async () => {
    await refused({ recheck: () => [{ guard: 'freeze', allowed: false, reason: 'it is Friday now' }] });
  });

  it('prepare', async () => {
    const world = new FakeWorld();
    world.broken.add('web-1:s1');
    const ran = await refused({ world });
    expect(becauseOf(ran)).toContain('it is broken already');
  });

  it('prepare, when it is asked again right before the injection', async () => {
    await refused({
      onEvent: (event, { world }) => {
        if (event.type === 'baseline.held') world.broken.add('web-1:s1');
      },
    });
  });

  it('a host that cannot be reached', async () => {
    const world = new FakeWorld();
    world.beforeConnect = async (host) => {
      if (host === 'web-2') throw new ChaosError('CHAOS_SSH_CONNECT', 'no route');
    };
    await refused({ world });
  });

  it('a host that does not answer in time', async () => {
    const world = new FakeWorld();
    world.beforeConnect = (_host, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const ran = await refused({ world, plan: testPlan({ timeouts: { connectMs: 50, prepareMs: 1_000, rollbackMs: 1_000 } }) });
    expect(becauseOf(ran)).toContain('50 ms');
  });

  it('a prepare that does not end in time', async () => {
    const ran = await refused({
      plan: testPlan({ timeouts: { connectMs: 1_000, prepareMs: 50, rollbackMs: 1_000 } }),
      script: { s1: () => ({ prepare: async ({ clock, signal }) => clock.sleep(100, signal).then(() => ({})) }) },
    });
    expect(becauseOf(ran)).toContain('50 ms');
  });

  it('a fault or a probe that this version does not know', async () => {
    await refused({ plan: withSteps(faultStep('s1', { fault: 'later' })) });
    await refused({ plan: testPlan({ probes: [{ name: 'shop', kind: 'later', spec: {} }] }) });
  });

  it('a probe whose secret cannot be resolved', async () => {
    const resolveDeep = (): never => {
      throw new ChaosError('CHAOS_SECRET', 'the environment variable TOKEN is not set');
    };
    const ran = await refused({ secrets: { ...noSecrets, resolveDeep } });
    expect(becauseOf(ran)).toContain('TOKEN is not set');
  });
});
