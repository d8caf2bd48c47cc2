/**
 * `command`: the fault is whatever three shell commands of the experiment's author say it is. The runner adds what a script of one's own
 * lacks: proof that it took effect, a fuse on the target that reverts when the runner is gone, and proof that nothing is left.
 */
import type { FaultDefinition } from '../contract.ts';
import { durationMs } from '../fields.ts';
import { hostFault } from '../host-fault/index.ts';
import { type CommandParameters, commandParameters } from './schema.ts';

export const command: FaultDefinition<CommandParameters> = hostFault({
  kind: 'command',
  title: 'Own commands',
  summary: 'Injects, verifies and reverts with shell commands given in the experiment.',
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: commandParameters,
  measures: {},
  needs: [],
  duration: 'optional',
  // Nobody knows what the commands change.
  reboot: 'kept',
  timeoutMs: ({ timeout }) => durationMs(timeout),
  load: () => import('./scripts.ts'),
});
