import type { FaultContext } from '../../contract.ts';
import { answer, readNode } from './nodes.ts';
import { answers } from './shell.ts';

/** Stops the server of the old primary, cleanly if it can be done, and makes sure of it. Leaves `standby.signal` there. */
export async function halt(context: FaultContext, primary: string): Promise<void> {
  if ((await readNode(context, primary)).role.kind === 'down') return;
  await answer(context, () => context.operations.run(`halt-${primary}`));
  if ((await readNode(context, primary)).role.kind === 'down') return;
  await context.operations.run(`kill-${primary}`, { accept: [answers.yes, answers.no] });
}
