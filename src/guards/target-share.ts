/** No more than the allowed share of any group that a target belongs to; hosts without a group count as one group of all hosts. */
import { type Guard, type GuardInput, selectedTargets } from './contract.ts';

export const targetShare: Guard = {
  name: 'target-share',
  check(input) {
    const { plan, environment } = input;
    const limit = Math.min(plan.limits.maxShare, environment.maxShare ?? 1);
    const worst = shares(input).toSorted((a, b) => b.share - a.share)[0];
    if (worst === undefined) return { guard: 'target-share', allowed: false, reason: 'no target', remedy: 'select at least one host' };
    const reason = `${worst.hit} of ${worst.size} hosts in ${worst.group} (${percent(worst.share)} of at most ${percent(limit)})`;
    if (worst.share <= limit) return { guard: 'target-share', allowed: true, reason };
    return {
      guard: 'target-share',
      allowed: false,
      reason,
      remedy: 'select fewer hosts, or raise maxShare in the limits and in the guards',
    };
  },
};

function shares({ plan, environment }: GuardInput): { group: string; hit: number; size: number; share: number }[] {
  const targets = selectedTargets(plan);
  const found = [...environment.groups]
    .map(([group, hosts]) => ({
      group: `group ${group}`,
      hit: targets.filter((target) => hosts.includes(target)).length,
      size: hosts.length,
    }))
    .filter(({ hit }) => hit > 0);
  const grouped = new Set([...environment.groups.values()].flat());
  const loose = targets.filter((target) => !grouped.has(target));
  if (loose.length > 0) found.push({ group: 'the environment', hit: targets.length, size: environment.hostCount });
  return found.map((entry) => ({ ...entry, share: entry.hit / entry.size }));
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 1000) / 10} %`;
}
