/** `chaos plan`: shows what a run would do and does nothing. */
import { RunAborted } from '../core/abort.ts';
import { CleanupStack } from '../core/cleanup-stack.ts';
import { References } from '../environment/references.ts';
import { renderPlan } from '../views/plan-view.ts';
import { type GroundOptions, openGround, openWork } from './ground.ts';
import { makePlan } from './make-plan.ts';
import { reportsFolder } from './project.ts';
import { listenForSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { openSessions } from './wire.ts';

interface PlanOptions extends GroundOptions {
  readonly json?: boolean;
  readonly confirm?: string;
}

export async function planCommand(
  name: string,
  { terminal, options }: { readonly terminal: Terminal; readonly options: PlanOptions },
): Promise<number> {
  const work = await openWork(name, options);
  const reports = reportsFolder(options);
  const stop = new AbortController();
  using _signals = listenForSignals({
    stop: (signal) => stop.abort(new RunAborted({ kind: 'operator', by: signal })),
    warn: () => undefined,
  });
  await using cleanup = new CleanupStack();
  const ground = cleanup.use(await openGround(work, options, terminal, stop.signal));
  const sessions = cleanup.use(await openSessions(ground.environment, new References(), () => undefined));
  const confirmed = options.confirm === undefined ? {} : { confirmed: options.confirm };
  const { plan } = await makePlan({ file: work.file, environment: ground.environment, sessions, reports, ...confirmed }, stop.signal);
  if (options.json === true) terminal.json(plan);
  else terminal.out(renderPlan(plan, { color: terminal.color, columns: terminal.columns }));
  return plan.guards.every((answer) => answer.allowed) ? 0 : 3;
}
