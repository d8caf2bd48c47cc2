/**
 * Makes a fault out of the five shell texts that a host fault consists of. Only what checking a file needs is loaded with it; the texts,
 * the fuse and the stages come when a plan is made or run.
 */
import type * as z from 'zod';
import type { FaultDefinition } from '../contract.ts';
import { lazyStages } from '../lazy-stages.ts';
import type { HostFault } from './contract.ts';

export function hostFault<Parameters>(fault: HostFault<Parameters>): FaultDefinition<Parameters> {
  const { kind, title, summary, reversibility, heals, measures, duration, needs } = fault;
  let parameters: z.ZodType<Parameters> | undefined;
  return {
    kind,
    title,
    summary,
    reversibility,
    heals,
    measures,
    duration,
    needs: ['fuse', ...needs],
    get parameters() {
      parameters ??= fault.parameters();
      return parameters;
    },
    plan: async (request) => (await import('./plan.ts')).plan(fault, request),
    ...lazyStages(() => import('./stages.ts')),
  };
}
