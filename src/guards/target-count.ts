/** No more targets than both the experiment and the environment allow. Counts what was resolved, not what was asked for. */
import { plural } from '../core/text.ts';
import { type Guard, selectedTargets } from './contract.ts';

export const targetCount: Guard = {
  name: 'target-count',
  check({ plan, environment }) {
    const most = Math.min(plan.limits.maxTargets, environment.maxTargets ?? Number.POSITIVE_INFINITY);
    const targets = selectedTargets(plan);
    const reason = `${plural(targets.length, 'target')} of at most ${most}`;
    if (targets.length === 0) return { guard: 'target-count', allowed: false, reason: 'no target', remedy: 'select at least one host' };
    if (targets.length <= most) return { guard: 'target-count', allowed: true, reason };
    const remedy = `select fewer (${targets.join(', ')}), or raise maxTargets in the experiment's limits and in the environment's guards`;
    return { guard: 'target-count', allowed: false, reason, remedy };
  },
};
