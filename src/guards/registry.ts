/** Every guard, in the order in which their answers are shown. */
import type { GuardAnswer } from '../plan/plan.ts';
import type { Guard, GuardInput } from './contract.ts';
import { errorBudget } from './error-budget.ts';
import { protectedHosts } from './protected-hosts.ts';
import { targetCount } from './target-count.ts';
import { targetShare } from './target-share.ts';
import { tierConsent } from './tier-consent.ts';
import { unfinishedRun } from './unfinished-run.ts';

export const guards: readonly Guard[] = [targetCount, targetShare, protectedHosts, tierConsent, errorBudget, unfinishedRun];

/** The answers of all guards; all are asked, so that everything that refuses is known at once. */
export function askGuards(input: GuardInput): GuardAnswer[] {
  return guards.map((guard) => guard.check(input));
}
