/** Hosts that must never be touched: neither selected nor changed as a peer of a target. */
import { type Guard, selectedTargets } from './contract.ts';

export const protectedHosts: Guard = {
  name: 'protected-hosts',
  check({ plan, environment }) {
    const changed = plan.steps.flatMap((step) =>
      step.kind === 'fault'
        ? step.operations
            .filter((operation) => operation.changes)
            .flatMap((operation) => [operation.target, operation.sink?.target ?? operation.target])
        : [],
    );
    const touched = new Set([...selectedTargets(plan), ...changed]);
    const hit = environment.protectedHosts.filter((host) => touched.has(host));
    if (hit.length === 0)
      return { guard: 'protected-hosts', allowed: true, reason: `none of ${environment.protectedHosts.length} protected hosts is touched` };
    return {
      guard: 'protected-hosts',
      allowed: false,
      reason: `${hit.join(', ')} is protected`,
      remedy: 'select other hosts; protection is set in the environment file',
    };
  },
};
