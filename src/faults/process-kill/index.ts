/**
 * `process-kill`: a process is killed and must come back by itself. Its identity is its pid and its start time, so that a recycled pid is
 * never hit and a new process is told from the old one.
 */
import type { FaultDefinition } from '../contract.ts';
import { lazyStages } from '../lazy-stages.ts';
import { ProcessKillParameters } from './schema.ts';

export const processKill: FaultDefinition<ProcessKillParameters> = {
  kind: 'process-kill',
  title: 'Process kill',
  summary: 'Kills a process, found by its pid file or command line, and watches it come back.',
  reversibility: 'compensable',
  heals: 'by-itself',
  parameters: ProcessKillParameters,
  measures: {
    restartedWithin: { unit: 'duration', source: 'fault', description: 'From the kill until a new process was seen.' },
  },
  needs: [],
  duration: 'none',
  plan: async (request) => (await import('./plan.ts')).plan(request),
  ...lazyStages(() => import('./stages.ts')),
};
