/** `chaos recover`: finishes runs whose runner died, from their journals alone. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { CleanupStack } from '../core/cleanup-stack.ts';
import { ChaosError, describeError } from '../core/errors.ts';
import { parseRunId, type RunId } from '../core/ids.ts';
import { RunControl } from '../engine/control.ts';
import { Leases } from '../engine/leases.ts';
import { recoverFaults, unreverted } from '../engine/recover.ts';
import { References } from '../environment/references.ts';
import { faultRegistry } from '../faults/registry.ts';
import type { EventOf, RollbackState } from '../journal/events.ts';
import { applyEvent, foldRun, type RunState } from '../journal/fold.ts';
import { findRun, openRuns, runnerAlive, type StoredRun } from '../journal/runs.ts';
import { JournalWriter } from '../journal/writer.ts';
import { probeRegistry } from '../probes/registry.ts';
import { exitCode } from '../slo/verdict.ts';
import { renderSummary } from '../views/summary-view.ts';
import { lockEnvironment } from './environment-lock.ts';
import { exitMeaning } from './exit-codes.ts';
import { openEventLog } from './log.ts';
import { type ProjectOptions, reportsFolder } from './project.ts';
import { openRunView } from './run-view.ts';
import { listenForSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { clock, machine, openSessions, operator } from './wire.ts';
import { tryReport } from './write-report.ts';

interface Context {
  readonly terminal: Terminal;
  readonly options: ProjectOptions & { readonly json?: boolean };
}

export async function recoverCommand(wanted: string | undefined, context: Context): Promise<number> {
  const { terminal } = context;
  const reports = reportsFolder(context.options);
  if (context.options.reports !== undefined && !existsSync(reports))
    throw new ChaosError('CHAOS_NOT_FOUND', `there is no folder ${reports}`);
  if (wanted !== undefined) return recoverOne(await findRun(reports, wanted), context);
  const { runs, unreadable } = await openRuns(reports);
  const codes: number[] = [];
  for (const name of unreadable) {
    terminal.err(`${name}: its journal cannot be read, so what it left is unknown; chaos report ${name} tells the place`);
    codes.push(6);
  }
  for (const run of runs.filter(isOrphan)) codes.push(await tryRecover(run, context));
  if (codes.length === 0) terminal.err('nothing to recover: every run here is finished and undone, or its runner is still alive');
  return codes.includes(6) ? 6 : Math.max(0, ...codes);
}

/** One run that cannot be recovered must not keep the others from it. */
async function tryRecover(run: StoredRun, context: Context): Promise<number> {
  try {
    return await recoverOne(run, context);
  } catch (error) {
    context.terminal.err(`run ${run.id} is not recovered: ${describeError(error)}`);
    return 6;
  }
}

/** Nobody else will finish it. */
function isOrphan(run: StoredRun): boolean {
  return run.finished !== undefined || !runnerAlive(run, machine);
}

async function recoverOne(run: StoredRun, context: Context): Promise<number> {
  const { terminal } = context;
  const open = unreverted(run.events);
  if (run.finished !== undefined && open.length === 0) {
    terminal.err(`run ${run.id} is finished and left nothing in effect; nothing was changed`);
    return 0;
  }
  if (run.finished === undefined && runnerAlive(run, machine)) {
    throw new ChaosError('CHAOS_REFUSED', `the runner of ${run.id} is still alive (process ${run.started.pid} on ${run.started.machine})`, {
      hint:
        run.started.machine === machine
          ? 'press Ctrl-C there, or end it and try again'
          : 'run chaos recover on that machine, or end the runner there first',
    });
  }
  // Undoing must not be stopped half-way by a nervous Ctrl-C; three of them still end the process.
  using _signals = listenForSignals({
    stop: () => undefined,
    warn: () => terminal.err('recovering; Ctrl-C again exits and leaves it unfinished'),
  });
  const state = await finish(run, context);
  const report = await tryReport(run.folder, state, terminal);
  const finished = state.finished?.exitCode ?? 1;
  terminal.err(renderSummary(state, { color: terminal.color, exitCode: finished, exitMeaning: exitMeaning(finished), ...report }));
  return finished;
}

/** What the run proved while it ran stands; a runner that died proved nothing. */
function judgedBefore(run: StoredRun): Pick<EventOf<'verdict.reached'>, 'outcome' | 'verdict' | 'clauses' | 'because'> {
  const before = run.events.findLast((event): event is EventOf<'verdict.reached'> => event.type === 'verdict.reached');
  if (run.finished === undefined || before === undefined)
    return { outcome: 'errored', verdict: 'inconclusive', clauses: [], because: 'the runner died before the run was over' };
  const { outcome, verdict, clauses } = before;
  const because = before.because.replace(
    /; (?:the rollback is \w+|it is not proved undone yet|the run ended with something still in effect)/g,
    '',
  );
  return { outcome, verdict, clauses, because: `${because}; the run ended with something still in effect` };
}

async function finish(run: StoredRun, { terminal, options }: Context): Promise<RunState> {
  const state = foldRun(run.events);
  const references = new References();
  const view = openRunView(terminal, { json: options.json === true });
  const log = await openEventLog();
  await using cleanup = new CleanupStack();
  const lock = lockEnvironment(run.started.plan.environment.file);
  cleanup.defer(() => lock[Symbol.dispose]());
  cleanup.defer(() => view.close());
  const journal = cleanup.use(
    await JournalWriter.resume(run.folder, {
      clock,
      redact: (text) => references.redact(text),
      onEvent: (event) => {
        applyEvent(state, event);
        view.event(event, state);
        log(event);
      },
    }),
  );
  await journal.record({ type: 'recover.started', pid: process.pid, operator: operator() });
  const rollback = (await labIsGone(run, journal)) ? 'clean' : await undo(run, journal, references, cleanup);
  const judged = { ...judgedBefore(run), rollback };
  const undone = rollback === 'clean' ? 'it was undone afterwards' : 'it is not proved undone yet';
  await journal.record({ type: 'verdict.reached', ...judged, because: `${judged.because}; ${undone}` });
  const code = exitCode(judged);
  // The run itself failed, the recovery did not: what is proved undone is inconclusive, not an internal error.
  await journal.record({ type: 'run.finished', exitCode: code === 1 ? 7 : code });
  return state;
}

async function undo(run: StoredRun, journal: JournalWriter, references: References, cleanup: CleanupStack): Promise<RollbackState> {
  const { plan } = run.started;
  const sessions = cleanup.use(await openSessions(plan, references, () => undefined));
  using leases = new Leases(() => undefined);
  const runId = parseRunId(run.id);
  if (runId === undefined) throw new ChaosError('CHAOS_JOURNAL', `${run.id} is not the id of a run`);
  return recoverFaults(
    {
      runId: runId satisfies RunId,
      plan,
      record: journal.record,
      origin: journal.origin,
      clock,
      sessions,
      leases,
      secrets: references,
      control: new RunControl(),
      faults: faultRegistry,
      probes: probeRegistry,
      startSampling: () => Promise.reject(new ChaosError('CHAOS_INTERNAL', 'a recovery measures nothing')),
      recheck: async () => [],
    },
    unreverted(run.events),
  );
}

/** A practice lab that has ended took its hosts, processes and data with it: nothing can be in effect there. */
async function labIsGone(run: StoredRun, journal: JournalWriter): Promise<boolean> {
  const { lab, plan } = run.started;
  // Only the machine it ran on can say so, and only the folder itself: a list of labs is that of one account and one TMPDIR.
  if (lab === undefined || run.started.machine !== machine) return false;
  const { listLabs } = await import('../lab/lab.ts');
  const found = (await listLabs()).find((candidate) => candidate.id === lab.id);
  if (found !== undefined && found.state !== 'up') {
    const { stopLab } = await import('../lab/stop.ts');
    await stopLab(lab.id, AbortSignal.timeout(60_000));
  }
  if (existsSync(dirname(plan.environment.file))) return false;
  const evidence = [`the lab ${lab.id} no longer exists: its hosts, processes and data are gone`];
  for (const fault of unreverted(run.events).toReversed()) {
    await journal.record({ type: 'fault.reverted', step: fault.step.id, clean: true, evidence, findings: [], measures: {} });
  }
  await journal.record({ type: 'rollback.finished', state: 'clean' });
  return true;
}
