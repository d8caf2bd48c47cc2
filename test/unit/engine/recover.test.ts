import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/clock.ts';
import { ChaosError } from '../../../src/core/errors.ts';
import { RunControl } from '../../../src/engine/control.ts';
import { recoverFaults, unreverted } from '../../../src/engine/recover.ts';
import type { EventBody, JournalEvent, RollbackState } from '../../../src/journal/events.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { faultStep, testPlan, waitStep } from '../../support/engine-plan.ts';
import { partsOf, run, type Scenario, type Script, sessionsTo } from '../../support/engine-run.ts';
import { FakeWorld } from '../../support/engine-world.ts';

const plan: Plan = testPlan({
  steps: [faultStep('s1', { durationMs: 10 }), faultStep('s2', { targets: ['web-2'] }), faultStep('s3'), waitStep('s4', 10)],
});
const scenario: Scenario = { plan, sample: () => true };

/** A fresh process with a journal and the network, nothing else. */
async function recover(
  events: readonly JournalEvent[],
  world: FakeWorld,
  more: Scenario = scenario,
): Promise<{ state: RollbackState; recorded: EventBody[] }> {
  const recorded: EventBody[] = [];
  const used = more.plan ?? plan;
  const sessions = sessionsTo(world, used);
  const clock = { ...systemClock, sleep: (ms: number, signal: AbortSignal) => systemClock.sleep(ms / 50, signal) };
  const record = async (body: EventBody): Promise<void> => void recorded.push(body);
  const parts = partsOf(more, { record, origin: 0, clock, sessions, control: new RunControl(), world });
  const state = await recoverFaults(parts, unreverted(events));
  await sessions[Symbol.asyncDispose]();
  return { state, recorded };
}

/** The events of a whole run with what was broken when each was written. */
async function recordedRun(): Promise<{ readonly events: readonly JournalEvent[]; readonly brokenAt: readonly (readonly string[])[] }> {
  const brokenAt: string[][] = [];
  const ran = await run({ ...scenario, onEvent: (_event, { world }) => void brokenAt.push([...world.broken]) });
  return { events: ran.events, brokenAt };
}

describe('recovery of a runner that died', () => {
  it('after any event leaves every target clean, also where the next command had been sent already, and may be repeated', async () => {
    const { events, brokenAt } = await recordedRun();
    for (let cut = 1; cut <= events.length; cut++) {
      for (const broken of [brokenAt[cut - 1], brokenAt[cut]]) {
        const world = new FakeWorld();
        for (const what of broken ?? []) world.broken.add(what);
        const journal = events.slice(0, cut);

        const first = await recover(journal, world);
        expect([...world.broken], `died after ${events[cut - 1]?.type}`).toEqual([]);
        expect(first.state).toBe('clean');
        expect(first.recorded.at(-1)).toEqual({ type: 'rollback.finished', state: 'clean' });

        expect((await recover(journal, world)).state).toBe('clean');
        expect([...world.broken]).toEqual([]);
      }
    }
  });

  it('with nothing left connects to nothing and changes nothing', async () => {
    const { events } = await recordedRun();
    const world = new FakeWorld();
    const { state, recorded } = await recover(events, world);

    expect(state).toBe('clean');
    expect(recorded).toEqual([{ type: 'rollback.finished', state: 'clean' }]);
    expect(world.connects).toEqual([]);
  });

  const cutAfter = async (type: string, step: string): Promise<readonly JournalEvent[]> => {
    const { events } = await recordedRun();
    return events.slice(0, events.findIndex((event) => event.type === type && 'step' in event && event.step === step) + 1);
  };

  it('goes newest first and tries all, whatever fails', async () => {
    const journal = await cutAfter('fault.injected', 's3');
    const world = new FakeWorld();
    for (const what of ['web-2:s2', 'web-1:s3']) world.broken.add(what);
    const { state, recorded } = await recover(journal, world, {
      ...scenario,
      script: { s3: () => ({ revert: () => Promise.reject(new Error('no')) }) },
    });

    expect(state).toBe('unknown');
    expect([...world.broken]).toEqual(['web-1:s3']);
    expect(recorded.flatMap((body) => (body.type === 'fault.reverting' ? [body.step] : []))).toEqual(['s3', 's2']);
  });

  it('reverts the faults it knows also beside one it does not know', async () => {
    const journal = (await cutAfter('fault.injected', 's3')).map(
      (event): JournalEvent =>
        event.type === 'run.started'
          ? {
              ...event,
              plan: {
                ...plan,
                steps: plan.steps.map((step) => (step.id === 's3' && step.kind === 'fault' ? { ...step, fault: 'later' } : step)),
              },
            }
          : event,
    );
    const world = new FakeWorld();
    world.broken.add('web-2:s2');
    const { state, recorded } = await recover(journal, world);

    expect([...world.broken]).toEqual([]);
    expect(state).toBe('unknown');
    expect(recorded).toContainEqual({ type: 'fault.revert-failed', step: 's3', detail: expect.stringContaining('later') });
  });

  it('says incomplete where a target is still not clean, and unknown where it cannot be reached', async () => {
    const journal = await cutAfter('fault.injected', 's2');
    const dirty = { verifyReverted: async () => ({ clean: false, evidence: [], findings: [] }) };
    expect((await recover(journal, new FakeWorld(), { ...scenario, script: { s2: () => dirty } })).state).toBe('incomplete');

    const world = new FakeWorld();
    world.beforeConnect = () => Promise.reject(new ChaosError('CHAOS_SSH_CONNECT', 'no route'));
    expect((await recover(journal, world)).state).toBe('unknown');
  });

  it('asks for longer than three times while a target among several cannot be reached', async () => {
    const journal = await cutAfter('fault.injected', 's2');
    const unreachable = new AggregateError([new Error('other'), new ChaosError('CHAOS_SSH_CONNECT', 'no route')], 'two failed');
    let asked = 0;
    const revert = (usual: Parameters<Script>[0]): ReturnType<Script> => ({
      revert: (context, undo) => (++asked < 5 ? Promise.reject(unreachable) : usual.revert(context, undo)),
    });

    const { state } = await recover(journal, new FakeWorld(), { ...scenario, script: { s2: revert } });

    expect([asked, state]).toEqual([5, 'clean']);
  });

  it('gives the revert the undo record and the marks of the runner that died', async () => {
    const seen: unknown[] = [];
    const journal = await cutAfter('fault.injected', 's2');
    const marked: JournalEvent = {
      seq: 99,
      at: '',
      t: 99,
      type: 'fault.marked',
      step: 's2',
      mark: 'promoted',
      data: { to: 'web-1' },
      pointOfNoReturn: false,
    };
    await recover([...journal, marked], new FakeWorld(), {
      ...scenario,
      script: { s2: () => ({ revert: async ({ marks }, undo) => void seen.push(undo, Object.fromEntries(marks)) }) },
    });

    expect(seen).toEqual([{ was: 'fine' }, { promoted: { to: 'web-1' } }]);
  });
});
