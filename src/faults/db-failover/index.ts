/**
 * `db-failover`: the primary of a database cluster goes away, its standby takes over, and redundancy is restored afterwards. Before the
 * promotion an abort undoes; after it an abort goes forward: the old primary is fenced and joins again as a standby, never as it was.
 * What is particular to an engine lives in a folder of its own.
 */
import type { FaultDefinition } from '../contract.ts';
import { lazyStages } from '../lazy-stages.ts';
import { DbFailoverParameters } from './schema.ts';

export const dbFailover: FaultDefinition<DbFailoverParameters> = {
  kind: 'db-failover',
  title: 'Database failover',
  summary: 'The primary dies or is stopped, a standby is promoted, and the old primary joins again as a standby.',
  reversibility: 'compensable',
  heals: 'by-itself',
  parameters: DbFailoverParameters,
  measures: {
    writeDowntime: { unit: 'duration', source: 'ledger', description: 'Longest time between two acknowledged writes.' },
    lostWrites: { unit: 'count', source: 'ledger', description: 'Writes that were acknowledged and are not on the new primary.' },
    promotedWithin: { unit: 'duration', source: 'fault', description: 'From the loss of the primary until the standby is writable.' },
    redundancyRestoredWithin: {
      unit: 'duration',
      source: 'fault',
      description: 'From the start of the rejoin until the old primary streams from the new one.',
    },
  },
  needs: [],
  duration: 'none',
  plan: async (request) => (await import('./postgresql/plan.ts')).plan(request),
  ...lazyStages(() => import('./postgresql/stages.ts')),
};
