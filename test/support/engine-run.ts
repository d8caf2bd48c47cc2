/** Runs the real engine, over a real journal in a temporary folder, against a {@link FakeWorld}: faults and probes are scripted, waits are short. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { ChaosError } from '../../src/core/errors.ts';
import { milliseconds } from '../../src/core/units.ts';
import type { SqlConnector } from '../../src/drivers/contract.ts';
import type { RunParts, Secrets } from '../../src/engine/context.ts';
import { RunControl } from '../../src/engine/control.ts';
import { Leases } from '../../src/engine/leases.ts';
import { executeRun, type RunResult } from '../../src/engine/run.ts';
import { Sessions } from '../../src/engine/sessions.ts';
import type { FaultContext, FaultDefinition } from '../../src/faults/contract.ts';
import type { JournalEvent } from '../../src/journal/events.ts';
import { readJournal } from '../../src/journal/reader.ts';
import { JournalWriter, type Recorder } from '../../src/journal/writer.ts';
import type { GuardAnswer, Plan } from '../../src/plan/plan.ts';
import type { LedgerResult, ProbeDefinition, Sample } from '../../src/probes/contract.ts';
import type { SamplingListener } from '../../src/probes/sampling/contract.ts';
import { startProbes } from '../../src/probes/sampling/sampler.ts';
import { testPlan } from './engine-plan.ts';
import { FakeWorld } from './engine-world.ts';

type Stages = Pick<FaultDefinition, 'prepare' | 'inject' | 'verify' | 'revert' | 'verifyReverted'>;
/** What a step does other than the well-behaved fault; may call that one as `usual`. */
export type Script = (usual: Stages) => Partial<Stages>;

export interface Scenario {
  readonly plan?: Plan;
  /** By step id. */
  readonly script?: Readonly<Record<string, Script>>;
  /** Does the next sample succeed? Default: while nothing is broken. `undefined`: the probe says nothing. */
  readonly sample?: (world: FakeWorld) => boolean | undefined;
  readonly settle?: () => Promise<LedgerResult>;
  /** How much of the next sample, ms, was the prober's own doing. Default 0. */
  readonly own?: (world: FakeWorld) => number;
  /** Called when the probes have started, with what the engine listens with. */
  readonly onSampling?: (listener: SamplingListener, world: FakeWorld) => void;
  /** Hears every event as it is recorded. */
  readonly onEvent?: (event: JournalEvent, run: Running) => void;
  /** Stands between the engine and the journal. */
  readonly recorder?: (record: Recorder) => Recorder;
  readonly secrets?: Secrets;
  readonly recheck?: () => readonly GuardAnswer[];
  readonly world?: FakeWorld;
  /** Further kinds of probes, made from the usual one. */
  readonly probes?: Readonly<Record<string, (usual: ProbeDefinition) => ProbeDefinition>>;
  /** Called right before the run. */
  readonly before?: (run: Running) => void;
}

export interface Running {
  readonly world: FakeWorld;
  readonly control: RunControl;
  /** Lets `ms` pass at once on the monotonic clock. */
  jump(ms: number): void;
}

export interface Ran extends Running {
  readonly result: RunResult;
  readonly events: readonly JournalEvent[];
  /** The types of all events, in order, without samples and measurements. */
  readonly story: readonly string[];
}

const wellBehaved: Stages = {
  prepare: async ({ operations }) => {
    const { exitCode } = await operations.run('look', { accept: 'any' });
    if (exitCode === 0) throw new ChaosError('CHAOS_REFUSED', 'it is broken already');
    return { was: 'fine' };
  },
  inject: async ({ operations }) => void (await operations.run('break')),
  verify: async ({ operations }) => ({ effective: (await operations.run('look', { accept: 'any' })).exitCode === 0, evidence: ['looked'] }),
  revert: async ({ operations }) => void (await operations.run('mend')),
  verifyReverted: async ({ operations }) => ({
    clean: (await operations.run('look', { accept: 'any' })).exitCode !== 0,
    evidence: ['looked again'],
    findings: [],
  }),
};

/** The `fake` fault: well-behaved but for what the script of a step says. */
export function fakeFault(script: Scenario['script'] = {}): FaultDefinition {
  const stages = ({ step }: FaultContext): Stages => ({ ...wellBehaved, ...script[step.id]?.(wellBehaved) });
  return {
    kind: 'fake',
    title: 'Fake',
    summary: 'breaks and mends',
    reversibility: 'reversible',
    heals: 'by-revert',
    parameters: z.unknown(),
    measures: {},
    needs: [],
    duration: 'optional',
    plan: async () => ({ mistakes: [] }),
    prepare: (context) => stages(context).prepare(context),
    inject: (context, undo) => stages(context).inject(context, undo),
    verify: (context, undo) => stages(context).verify(context, undo),
    revert: (context, undo) => stages(context).revert(context, undo),
    verifyReverted: (context, undo) => stages(context).verifyReverted(context, undo),
  };
}

const sampleEveryMs = 5;

function fakeProbe(world: FakeWorld, scenario: Scenario): ProbeDefinition {
  const sample = scenario.sample ?? (({ broken }: FakeWorld) => broken.size === 0);
  return {
    kind: 'fake',
    summary: 'says what it is told',
    spec: z.unknown(),
    gives: ['latency'],
    longestSampleMs: () => 10,
    start: (_spec, { clock, origin, emit }) => {
      const timer = setInterval(() => {
        const ok = sample(world);
        const end = clock.monotonic() - origin;
        if (ok !== undefined) emit({ due: end - 1, sent: end - 1, end, ok });
      }, sampleEveryMs);
      return { stop: async () => clearInterval(timer), ...(scenario.settle === undefined ? {} : { settle: scenario.settle }) };
    },
  };
}

export const noSql: SqlConnector = { connect: () => Promise.reject(new ChaosError('CHAOS_SQL', 'no database here')) };
export const noSecrets: Secrets = { resolve: (text) => text, resolveDeep: (value) => value };

/** Waits of 200 ms and more take a tenth of their time; the monotonic clock can be moved on. */
function quickClock(): { readonly clock: Clock; jump(ms: number): void } {
  let ahead = 0;
  const clock: Clock = {
    wall: systemClock.wall,
    monotonic: () => systemClock.monotonic() + ahead,
    sleep: (duration, signal) => systemClock.sleep(duration >= 200 ? duration / 10 : duration, signal),
  };
  return {
    clock,
    jump: (ms) => {
      ahead += ms;
    },
  };
}

export function sessionsTo(world: FakeWorld, plan: Plan, onLost: (target: string, error: Error) => void = () => undefined): Sessions {
  return new Sessions({
    hosts: plan.hosts,
    databases: plan.databases,
    driver: async () => world.driver,
    sql: noSql,
    secret: (text) => text,
    connectTimeout: milliseconds(1_000),
    onLost,
  });
}

/** The parts of a run over `record`. */
export function partsOf(
  scenario: Scenario,
  own: Pick<RunParts, 'record' | 'origin' | 'clock' | 'sessions' | 'control'> & { readonly world: FakeWorld },
): RunParts {
  const { world, ...parts } = own;
  const usual = fakeProbe(world, scenario);
  const more = Object.entries(scenario.probes ?? {}).map(([kind, make]) => [kind, make(usual)] as const);
  const known = new Map([['fake', usual], ...more]);
  return {
    ...parts,
    runId: 'abcdef',
    leases: new Leases((target, detail) => parts.control.lost(target, detail)),
    plan: scenario.plan ?? testPlan(),
    secrets: scenario.secrets ?? noSecrets,
    faults: new Map([['fake', fakeFault(scenario.script)]]),
    probes: known,
    startSampling: async (request, listener) => {
      const own = (): Pick<Sample, 'own'> => (scenario.own === undefined ? {} : { own: scenario.own(world) });
      const emit = (probe: string, sample: Sample): void => listener.samples(probe, [{ ...sample, ...own() }]);
      const sampling = await startProbes({ probes: known, clock: parts.clock, sql: noSql, emit }, request);
      scenario.onSampling?.(listener, world);
      return sampling;
    },
    recheck: async () => scenario.recheck?.() ?? [],
  };
}

/** Executes the scenario to its end; the folder of its journal is gone afterwards. */
export async function run(scenario: Scenario = {}): Promise<Ran> {
  const folder = await mkdtemp(join(tmpdir(), 'chaos-engine-'));
  const world = scenario.world ?? new FakeWorld();
  const control = new RunControl();
  const { clock, jump } = quickClock();
  const running: Running = { world, control, jump };
  const plan = scenario.plan ?? testPlan();
  try {
    const journal = await JournalWriter.create(folder, {
      clock,
      redact: (text) => text,
      onEvent: (event) => scenario.onEvent?.(event, running),
    });
    const sessions = sessionsTo(world, plan, (target, error) => void control.stop({ kind: 'target-lost', target, detail: error.message }));
    const record = scenario.recorder?.(journal.record) ?? journal.record;
    const parts = partsOf(scenario, { record, origin: journal.origin, clock, sessions, control, world });
    await journal.record({ type: 'run.started', run: 'abcdef', plan, version: '0', operator: 'me', machine: 'here', pid: 1 });
    scenario.before?.(running);
    const result = await executeRun(parts);
    await sessions[Symbol.asyncDispose]();
    await journal[Symbol.asyncDispose]();
    const { events } = await readJournal(folder);
    const story = events.map((event) => event.type).filter((type) => type !== 'probe.sampled' && type !== 'slo.measured');
    return { ...running, result, events, story };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
