/** Small registries for tests of the language, which must not depend on what is really registered. */
import * as z from 'zod';
import { durationPattern } from '../../../src/core/units.ts';
import type { FaultDefinition } from '../../../src/faults/contract.ts';
import type { ProbeDefinition } from '../../../src/probes/contract.ts';

function fault(definition: Pick<FaultDefinition, 'kind' | 'parameters' | 'measures' | 'duration'>): FaultDefinition {
  const unused = async (): Promise<never> => {
    throw new Error('the language runs no fault');
  };
  return {
    title: definition.kind,
    needs: [],
    summary: `Does ${definition.kind}.`,
    reversibility: 'reversible',
    heals: 'by-revert',
    plan: async () => ({ mistakes: [] }),
    prepare: unused,
    inject: unused,
    verify: unused,
    revert: unused,
    verifyReverted: unused,
    ...definition,
  };
}

const faults = [
  fault({
    kind: 'slow',
    parameters: z.strictObject({ delay: z.string().regex(durationPattern), jitter: z.string().regex(durationPattern).optional() }),
    measures: {
      addedLatency: { unit: 'duration', source: 'fault', description: 'Latency that was added.' },
      errorShare: { unit: 'ratio', source: 'fault', description: 'Share of errors.' },
      retries: { unit: 'count', source: 'fault', description: 'Retries seen.' },
    },
    duration: 'required',
  }),
  fault({
    kind: 'kill',
    parameters: z.strictObject({ signal: z.enum(['KILL', 'TERM']).default('KILL') }),
    measures: {},
    duration: 'none',
  }),
];
export const fakeFaults: ReadonlyMap<string, FaultDefinition> = new Map(faults.map((one) => [one.kind, one]));

function probe(kind: string, spec: z.ZodType, database?: (spec: unknown) => string): ProbeDefinition {
  const start = (): never => {
    throw new Error('the language starts no probe');
  };
  return {
    kind,
    summary: `Asks ${kind}.`,
    spec,
    gives: ['latency'],
    longestSampleMs: () => 1_000,
    start,
    ...(database && { database, ledger: true }),
  };
}

const probes: readonly ProbeDefinition[] = [
  { ...probe('gauge', z.strictObject({ query: z.string() })), gives: ['value'] },
  probe(
    'http',
    z.strictObject({
      url: z.string(),
      method: z.string().default('GET'),
      rate: z.string().default('10/s'),
      timeout: z.string().default('2s'),
    }),
  ),
  probe(
    'postgres-ledger',
    z.strictObject({
      database: z.string(),
      rate: z.string().default('50/s'),
      connections: z.int().default(4),
      timeout: z.string().default('2s'),
    }),
    (spec) => (spec as { database: string }).database,
  ),
];
export const fakeProbes: ReadonlyMap<string, ProbeDefinition> = new Map(probes.map((one) => [one.kind, one]));
