/** Runs probes in the thread it is called in. */
import type { Clock } from '../../core/clock.ts';
import { ChaosError } from '../../core/errors.ts';
import type { SqlConnector } from '../../drivers/contract.ts';
import type { LedgerResult, ProbeDefinition, RunningProbe, Sample } from '../contract.ts';
import type { Sampling, SamplingRequest } from './contract.ts';

export interface SamplerParts {
  readonly probes: ReadonlyMap<string, ProbeDefinition>;
  readonly clock: Clock;
  readonly sql: SqlConnector;
  /** Takes a sample as soon as it is complete. Must not throw. */
  emit(probe: string, sample: Sample): void;
}

export async function startProbes(parts: SamplerParts, request: SamplingRequest): Promise<Sampling> {
  const { clock, sql } = parts;
  const origin = clock.monotonic() - request.runTime;
  const running = new Map<string, RunningProbe>();
  const stop = async (): Promise<void> => {
    await Promise.allSettled([...running.values()].map((probe) => probe.stop()));
  };
  try {
    for (const { name, kind, spec } of request.probes) {
      const definition = parts.probes.get(kind);
      if (definition === undefined) throw new ChaosError('CHAOS_PLAN_DRIFT', `this version knows no probe ${kind}`);
      const emit = (sample: Sample): void => parts.emit(name, sample);
      running.set(name, definition.start(spec, { name, runId: request.runId, clock, origin, sql, databases: request.databases, emit }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    ledgers: [...running].flatMap(([name, probe]) => (probe.settle === undefined ? [] : [name])),
    stop,
    async settle(name, signal): Promise<LedgerResult> {
      const probe = running.get(name);
      if (probe?.settle === undefined) throw new ChaosError('CHAOS_PROBE', `probe ${name} keeps no ledger`, { target: name });
      return probe.settle(signal);
    },
    [Symbol.asyncDispose]: stop,
  };
}
