/** What a probe needs to run, with its samples collected. */
import { systemClock } from '../../src/core/clock.ts';
import { ChaosError } from '../../src/core/errors.ts';
import type { SqlConnector } from '../../src/drivers/contract.ts';
import type { DatabaseCluster } from '../../src/plan/plan.ts';
import type { ProbeContext, ProbeDefinition, RunningProbe, Sample } from '../../src/probes/contract.ts';

export interface ProbeRun extends AsyncDisposable {
  readonly probe: RunningProbe;
  readonly samples: Sample[];
  /** Run time, ms. */
  now(): number;
  /** Waits until `count` samples are there. */
  until(count: number): Promise<void>;
}

export interface ProbeRunOptions {
  readonly sql?: SqlConnector;
  readonly databases?: readonly DatabaseCluster[];
  readonly runId?: string;
  onSample?(sample: Sample): void;
}

const noSql: SqlConnector = { connect: () => Promise.reject(new ChaosError('CHAOS_SQL', 'no database in this test')) };

/** Starts `definition` with `spec` as it would stand in a file. */
export function runProbe(definition: ProbeDefinition, spec: unknown, options: ProbeRunOptions = {}): ProbeRun {
  const samples: Sample[] = [];
  const origin = systemClock.monotonic();
  const context: ProbeContext = {
    name: 'orders',
    runId: options.runId ?? 'test22',
    clock: systemClock,
    origin,
    sql: options.sql ?? noSql,
    databases: options.databases ?? [],
    emit: (sample) => {
      samples.push(sample);
      options.onSample?.(sample);
    },
  };
  const probe = definition.start(definition.spec.parse(spec), context);
  return {
    probe,
    samples,
    now: () => systemClock.monotonic() - origin,
    until: async (count) => {
      while (samples.length < count) await sleep(5);
    },
    [Symbol.asyncDispose]: () => probe.stop(),
  };
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Counts samples by their error; ok ones under `ok`. */
export function tally(samples: readonly Sample[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { error } of samples) counts[error ?? 'ok'] = (counts[error ?? 'ok'] ?? 0) + 1;
  return counts;
}
