/** `process-pause`: stops processes where they are, as a hanging disk or a debugger would, and lets them go on. */
import type { FaultDefinition } from '../contract.ts';
import { hostFault } from '../host-fault/index.ts';
import { type ProcessPauseParameters, processPauseParameters } from './schema.ts';

export const processPause: FaultDefinition<ProcessPauseParameters> = hostFault({
  kind: 'process-pause',
  title: 'Process pause',
  summary: 'Stops processes where they are, as a hanging disk or a debugger would, and lets them go on.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: processPauseParameters,
  measures: {},
  needs: [],
  duration: 'optional',
  reboot: 'cleared',
  load: () => import('./scripts.ts'),
});
