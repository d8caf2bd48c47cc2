/** Asks before a run touches anything but the lab: the short plan, then the experiment's name. Never asks where nobody can answer. */
import { createInterface } from 'node:readline/promises';
import { ChaosError } from '../core/errors.ts';
import { plural } from '../core/text.ts';
import { selectedTargets } from '../guards/contract.ts';
import { oneLine } from '../journal/fold-words.ts';
import type { Plan } from '../plan/plan.ts';
import type { Terminal } from './terminal.ts';

interface Context {
  readonly terminal: Terminal;
  readonly options: { readonly yes?: boolean };
}

/** Resolves when the run may start; rejects with `CHAOS_REFUSED` otherwise. */
export async function consent(plan: Plan, { terminal, options }: Context, signal: AbortSignal): Promise<void> {
  const { name, tier } = plan.environment;
  const targets = selectedTargets(plan);
  const changes = plan.steps.flatMap((step) => (step.kind === 'fault' ? step.operations.filter((operation) => operation.changes) : []));
  terminal.err(
    `${oneLine(plan.experiment.title)}\nenvironment ${name} (${tier}) · ${plural(targets.length, 'target')}: ${targets.join(', ')} · ${plural(changes.length, 'changing operation')} · plan ${plan.hash.slice(0, 12)}`,
  );
  // A plan that a guard refuses is refused by the run itself, with the reasons in its record.
  if (tier === 'lab' || options.yes === true || plan.guards.some((answer) => !answer.allowed)) return;
  if (process.stdin.isTTY !== true) {
    throw new ChaosError('CHAOS_REFUSED', 'nobody can be asked here for consent', { hint: 'look at chaos plan, then add --yes' });
  }
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await lines.question(`Type ${plan.experiment.name} to start: `, { signal });
    if (answer.trim() !== plan.experiment.name)
      throw new ChaosError('CHAOS_REFUSED', 'not started: the name was not typed', { hint: 'nothing was injected' });
  } finally {
    lines.close();
  }
}
