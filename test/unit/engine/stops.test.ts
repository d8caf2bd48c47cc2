/** Stops, failures of the journal and cut connections at every single point of a run: the end is always the same. */
import { describe, expect, it } from 'vitest';
import type { AbortReason } from '../../../src/core/abort.ts';
import { ChaosError } from '../../../src/core/errors.ts';
import type { Recorder } from '../../../src/journal/writer.ts';
import { expectUndone } from '../../support/engine-checks.ts';
import { faultStep, testPlan, waitStep } from '../../support/engine-plan.ts';
import { type Ran, run, type Scenario } from '../../support/engine-run.ts';
import { FakeWorld } from '../../support/engine-world.ts';

type OnEvent = NonNullable<Scenario['onEvent']>;

const operator: AbortReason = { kind: 'operator', by: 'SIGINT' };
const deadline: AbortReason = { kind: 'deadline', limitMs: 1 };
const scenario: Scenario = {
  sample: () => true,
  plan: testPlan({
    steps: [faultStep('s1', { durationMs: 20 }), faultStep('s2', { targets: ['web-2'] }), faultStep('s3'), waitStep('s4', 20)],
  }),
};

/** How many events of the quiet kinds such a run has: the points at which something is done to it. */
async function pointsOf(subject: Scenario): Promise<readonly string[]> {
  return (await run(subject)).story;
}

/** `act` once the run's `point`-th event that is not a sample has been recorded. */
function at(point: number, act: OnEvent): OnEvent {
  let seen = -1;
  return (event, running) => {
    if (event.type === 'probe.sampled' || event.type === 'slo.measured') return;
    if (++seen === point) act(event, running);
  };
}

const injections = (ran: Ran): number => ran.story.filter((type) => type === 'fault.injecting').length;

describe('a stop at any moment', () => {
  it('has one reason and one rollback, leaves nothing behind, and ends with the code of its reason', async () => {
    const story = await pointsOf(scenario);
    const late = story.indexOf('verdict.reached');
    const runs = await Promise.all(
      story.map((_type, point) => run({ ...scenario, onEvent: at(point, (_event, { control }) => void control.stop(operator)) })),
    );

    for (const [point, ran] of runs.entries()) {
      const moment = `stopped at ${point}, ${story[point]}`;
      if (point < late) expectUndone(ran);
      expect([...ran.world.broken], moment).toEqual([]);
      expect(ran.control.reason, moment).toEqual(operator);
      expect(ran.result, moment).toMatchObject(
        point < late ? { outcome: 'aborted', exitCode: 130 } : { outcome: 'completed', exitCode: 0 },
      );
    }
  });

  it('by several at once is for the first reason', async () => {
    const story = await pointsOf(scenario);
    const points = [...story.keys()].filter((point) => point < story.indexOf('verdict.reached') - 1 && point % 3 === 0);
    const runs = await Promise.all(
      points.map((point) => {
        let seen = -1;
        return run({
          ...scenario,
          onEvent: (event, { control }) => {
            if (event.type === 'probe.sampled' || event.type === 'slo.measured') return;
            seen++;
            if (seen === point) expect(control.stop(deadline)).toBe(true);
            if (seen === point || seen === point + 1) expect(control.stop(operator)).toBe(false);
          },
        });
      }),
    );

    for (const ran of runs) {
      expectUndone(ran);
      expect(ran.control.reason).toEqual(deadline);
      expect(ran.events.find((event) => event.type === 'abort.decided')).toMatchObject({ reason: deadline });
      expect(ran.result.exitCode).toBe(5);
    }
  });

  it('before the first phase is recorded like any other', async () => {
    const ran = await run({ ...scenario, before: ({ control }) => void control.stop({ kind: 'operator', by: 'SIGTERM' }) });

    expectUndone(ran);
    expect(ran.story).toContain('abort.decided');
    expect(ran.world.connects).toEqual([]);
    expect(ran.result).toMatchObject({ outcome: 'aborted', exitCode: 143 });
  });

  it('is the reason of the end, not what a connection says that was broken off by it', async () => {
    const world = new FakeWorld();
    world.beforeConnect = (_host, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new ChaosError('CHAOS_SSH_CONNECT', 'handshake broken off'))),
      );
    const ran = await run({
      ...scenario,
      world,
      onEvent: (event, { control }) => {
        if (event.type === 'phase.entered') setTimeout(() => control.stop(operator), 20);
      },
    });

    expectUndone(ran);
    expect(ran.result).toMatchObject({ outcome: 'aborted', exitCode: 130 });
  });

  it('ends a command that is under way, and what it did is reverted', async () => {
    const world = new FakeWorld();
    world.answer = ({ command }, host) => {
      if (command !== 'break s1') return undefined;
      world.broken.add(`${host}:s1`);
      return new Promise(() => undefined);
    };
    const ran = await run({
      ...scenario,
      world,
      onEvent: (event, { control }) => {
        if (event.type === 'fault.injecting') setTimeout(() => control.stop(operator), 30);
      },
    });

    expectUndone(ran);
    expect(ran.result.exitCode).toBe(130);
  });

  it('a second time ends the wait for recovery, not the undoing', async () => {
    let healthy = true;
    const ran = await run({
      ...scenario,
      plan: testPlan({ steps: [faultStep('s1')], steadyState: { baselineMs: 60, recovery: { withinMs: 60_000, holdMs: 20 } } }),
      sample: () => healthy,
      onEvent: (event, { control }) => {
        if (event.type === 'fault.injected') control.stop(operator);
        if (event.type === 'fault.reverting') healthy = false;
        if (event.type === 'phase.entered' && event.phase === 'recovery') setTimeout(() => control.stop(operator), 20);
      },
    });

    expectUndone(ran);
    expect(ran.events.find((event) => event.type === 'recovery.failed')).toMatchObject({
      detail: expect.stringContaining('not waited for'),
    });
    expect(ran.result.exitCode).toBe(130);
  });
});

describe('a journal that can no longer be written', () => {
  /** Fails from the `point`-th record on; with `once` only that one. */
  const broken =
    (point: number, once: boolean) =>
    (record: Recorder): Recorder => {
      let seen = -1;
      return (body) => {
        if (body.type !== 'probe.sampled' && body.type !== 'slo.measured') seen++;
        const fails = once ? seen === point : seen >= point;
        return fails ? Promise.reject(new ChaosError('CHAOS_JOURNAL', 'no space')) : record(body);
      };
    };

  it.each([false, true])('from any moment on (once: %s) means: nothing is injected, or everything is reverted', async (once) => {
    const story = await pointsOf(scenario);
    const runs = await Promise.all(story.slice(1).map((_type, point) => run({ ...scenario, recorder: broken(point, once) })));

    for (const [point, ran] of runs.entries()) {
      const moment = `failing at ${point}, ${story[point + 1]}`;
      expect([...ran.world.broken], moment).toEqual([]);
      const changed = ran.world.commands.filter(({ command }) => command.startsWith('break')).length;
      expect(changed, moment).toBeLessThanOrEqual(injections(ran));
      expect(ran.result.rollback, moment).toBe('clean');
      expect(ran.world.open.size, moment).toBe(0);
    }
  });

  it('is never a run that held, as long as there was something left to do', async () => {
    const story = await pointsOf(scenario);
    const method = story.slice(1, story.lastIndexOf('step.waiting') + 1);
    const tolerated = new Set(['phase.entered', 'slo.breached', 'slo.cleared', 'fault.reverting', 'fault.reverted']);
    const points = [...method.keys()].filter((point) => !tolerated.has(method[point] ?? ''));
    const runs = await Promise.all(points.map((point) => run({ ...scenario, recorder: broken(point, false) })));

    for (const [index, ran] of runs.entries()) expect(ran.result.exitCode, method[points[index] ?? 0]).not.toBe(0);
  });

  it('makes the run stop when it can no longer keep what it measures', async () => {
    const ran = await run({
      ...scenario,
      plan: testPlan({ steps: [faultStep('s1'), waitStep('s2', 60_000)] }),
      recorder: (record) => (body) =>
        body.type === 'probe.sampled'
          ? Promise.reject(new ChaosError('CHAOS_JOURNAL', 'no space', { cause: new Error('ENOSPC') }))
          : record(body),
    });

    expectUndone(ran);
    expect(ran.control.reason).toEqual({ kind: 'journal', detail: 'no space: ENOSPC' });
  });
});

describe('connections that are cut at any moment', () => {
  it('stop the run, and every fault is reverted over new ones', async () => {
    const story = await pointsOf(scenario);
    const first = story.indexOf('fault.prepared');
    const last = story.indexOf('recovery.held');
    const points = [...story.keys()].slice(first, last);
    const cut: OnEvent = (_event, { world }) => {
      world.cut('web-1');
      world.cut('web-2');
    };
    const runs = await Promise.all(points.map((point) => run({ ...scenario, onEvent: at(point, cut) })));

    for (const ran of runs) {
      expectUndone(ran);
      expect(ran.result.outcome).not.toBe('completed');
    }
  });
});
