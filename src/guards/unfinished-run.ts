/** A run that was not brought to its end may have left a fault in effect: nothing new starts on its environment. */
import type { Guard } from './contract.ts';

export const unfinishedRun: Guard = {
  name: 'unfinished-run',
  check({ unfinished }) {
    if (unfinished.length === 0) return { guard: 'unfinished-run', allowed: true, reason: 'no unfinished run on this environment' };
    const reason = `run ${unfinished.join(', ')} on this environment is not finished`;
    return { guard: 'unfinished-run', allowed: false, reason, remedy: `wait for it, or chaos recover ${unfinished[0]}` };
  },
};
