/** `chaos run`: plan, consent, journal, engine, report; and whatever happens, everything given back. */

import { CleanupStack } from '../core/cleanup-stack.ts';
import { entryPoint } from '../core/entry-point.ts';
import { ChaosError, describeError } from '../core/errors.ts';
import { newRunId } from '../core/ids.ts';
import type { RunParts } from '../engine/context.ts';
import { RunControl } from '../engine/control.ts';
import { Leases } from '../engine/leases.ts';
import { executeRun, type RunResult } from '../engine/run.ts';
import { References } from '../environment/references.ts';
import { faultRegistry } from '../faults/registry.ts';
import { applyEvent, newRunState, type RunState } from '../journal/fold.ts';
import { runFolder } from '../journal/runs.ts';
import { JournalWriter, proveRoom, type Recorder } from '../journal/writer.ts';
import type { Plan } from '../plan/plan.ts';
import { probeRegistry } from '../probes/registry.ts';
import { startThread } from '../probes/sampling/thread.ts';
import { renderSummary } from '../views/summary-view.ts';
import { consent } from './consent.ts';
import { stopOnDefects } from './defects.ts';
import { lockEnvironment } from './environment-lock.ts';
import { exitMeaning } from './exit-codes.ts';
import { type Ground, type GroundOptions, openGround, openWork } from './ground.ts';
import { openEventLog } from './log.ts';
import { type MadePlan, makePlan } from './make-plan.ts';
import { reportsFolder } from './project.ts';
import { openRunView } from './run-view.ts';
import { listenForSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { version } from './version.ts';
import { clock, machine, openSessions, operator } from './wire.ts';
import { tryReport } from './write-report.ts';

interface RunOptions extends GroundOptions {
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly confirm?: string;
  readonly planHash?: string;
}

interface Context {
  readonly terminal: Terminal;
  readonly options: RunOptions;
}

export async function runCommand(name: string, context: Context): Promise<number> {
  const { terminal, options } = context;
  const work = await openWork(name, options);
  const reports = reportsFolder(options);
  const control = new RunControl();
  const state = newRunState();
  using _signals = listenForSignals({
    stop: (signal) => control.stop({ kind: 'operator', by: signal }),
    warn: () => terminal.err(leftBehind(state)),
  });
  // Set once there is a journal to tell.
  const heard: { record?: Recorder } = {};
  using _defects = stopOnDefects(control);
  const cleanup = new CleanupStack();
  try {
    await proveRoom(reports);
    const ground = cleanup.use(await openGround(work, options, terminal, control.signal));
    const lock = lockEnvironment(ground.environment.file);
    cleanup.defer(() => lock[Symbol.dispose]());
    const references = new References();
    const sessions = cleanup.use(
      await openSessions(ground.environment, references, (target, error) => {
        const detail = describeError(error);
        control.lost(target, detail);
        heard.record?.({ type: 'target.lost', target, detail }).catch(() => undefined);
      }),
    );
    const request = {
      file: work.file,
      environment: ground.environment,
      sessions,
      reports,
      ...(options.confirm === undefined ? {} : { confirmed: options.confirm }),
    };
    const made = await makePlan(request, control.signal);
    checkHash(made.plan, options.planHash);
    await consent(made.plan, context, control.signal);
    const runId = newRunId();
    const folder = runFolder(reports, made.plan.experiment.name, runId, clock.wall());
    const result = await journalled({ made, ground, references, sessions, control, state, runId, folder, heard }, context);
    const report = await tryReport(folder, state, terminal);
    terminal.err(
      renderSummary(state, {
        color: terminal.color,
        exitCode: result.exitCode,
        exitMeaning: exitMeaning(result.exitCode),
        ...report,
      }),
    );
    return result.exitCode;
  } finally {
    // What the run came to must not be hidden by a lab or a connection that cannot be given back.
    await cleanup[Symbol.asyncDispose]().catch((error: unknown) => terminal.err(`chaos: not given back: ${describeError(error)}`));
  }
}

interface JournalledRun {
  readonly made: MadePlan;
  readonly ground: Ground;
  readonly references: References;
  readonly sessions: RunParts['sessions'];
  readonly control: RunControl;
  readonly state: RunState;
  readonly runId: ReturnType<typeof newRunId>;
  readonly folder: string;
  readonly heard: { record?: Recorder };
}

async function journalled(run: JournalledRun, { terminal, options }: Context): Promise<RunResult> {
  const { made, ground, references, sessions, control, state, runId, folder, heard } = run;
  const log = await openEventLog();
  const view = openRunView(terminal, { json: options.json === true });
  await using journal = await JournalWriter.create(folder, {
    clock,
    redact: (text) => references.redact(text),
    onEvent: (event) => {
      applyEvent(state, event);
      view.event(event, state);
      log(event);
    },
  });
  heard.record = journal.record;
  using leases = new Leases((target, detail) => control.lost(target, detail));
  try {
    await journal.record({
      type: 'run.started',
      run: runId,
      plan: made.plan,
      version,
      operator: operator(),
      machine,
      pid: process.pid,
      ...(ground.lab === undefined ? {} : { lab: ground.lab }),
    });
    return await executeRun({
      runId,
      plan: made.plan,
      record: journal.record,
      origin: journal.origin,
      clock,
      sessions,
      leases,
      secrets: references,
      control,
      faults: faultRegistry,
      probes: probeRegistry,
      startSampling: (request, listener) => startThread(entryPoint('sampling-thread'), request, listener),
      recheck: () => made.recheck(runId),
    });
  } finally {
    delete heard.record;
    view.close();
  }
}

function checkHash(plan: Plan, wanted: string | undefined): void {
  if (wanted === undefined) return;
  if (wanted.length >= 8 && plan.hash.startsWith(wanted)) return;
  throw new ChaosError('CHAOS_REFUSED', `the plan has changed: its hash is ${plan.hash.slice(0, 12)}, not ${wanted.slice(0, 12)}`, {
    hint: 'look at chaos plan again; nothing was injected',
  });
}

function leftBehind(state: RunState): string {
  const active = [...state.faults.values()].filter((fault) => fault.injecting !== undefined && fault.clean !== true);
  if (active.length === 0) return 'nothing is left behind; waiting for the probes and the report (Ctrl-C again exits)';
  const names = active.map((fault) => `${fault.planned?.fault ?? fault.step} on ${fault.planned?.targets.join(', ') ?? 'unknown'}`);
  return `undoing goes on. Exiting now (Ctrl-C again) would leave behind: ${names.join('; ')}. Then: chaos recover ${state.run ?? ''}`;
}
