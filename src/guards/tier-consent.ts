/** Production is entered with the experiment's name typed out, never by habit. */
import type { Guard } from './contract.ts';

export const tierConsent: Guard = {
  name: 'tier-consent',
  check({ plan, confirmed }) {
    const { tier } = plan.environment;
    if (tier !== 'production') return { guard: 'tier-consent', allowed: true, reason: `tier ${tier} needs none` };
    if (confirmed === plan.experiment.name) return { guard: 'tier-consent', allowed: true, reason: 'confirmed by name' };
    return {
      guard: 'tier-consent',
      allowed: false,
      reason: 'tier production, not confirmed',
      remedy: `add --confirm ${plan.experiment.name}`,
    };
  },
};
