/** The lab's stand-in for systemd: keeps one program running, and starts it again a moment after it ended, however it ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { signalProcess } from './processes.ts';
import type { Account } from './record.ts';

export interface ServiceSpec {
  readonly name: string;
  /** Absolute path of the JavaScript to run. */
  readonly entry: string;
  readonly account: Account | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
  /** Goes to the program's standard input as one line of JSON; the input then stays open as long as the keeper lives. */
  readonly settings: unknown;
}

const restartMs = 500;

/** Starts the service; disposing it ends the service for good. `log` is told of every start and end. */
export function superviseService(spec: ServiceSpec, log: (text: string) => void): AsyncDisposable {
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let onEnd: () => void = () => undefined;
  const launch = (): void => {
    let ended = false;
    child = start(spec);
    log(`${spec.name}: started as process ${child.pid ?? '?'}`);
    // `error` without `exit` when it could not even be started; both when a signal could not be sent.
    const end = (how: string): void => {
      if (ended) return;
      ended = true;
      log(`${spec.name}: ended (${how})`);
      child = undefined;
      onEnd();
      if (!stopped) timer = setTimeout(launch, restartMs);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`));
  };
  launch();
  return {
    [Symbol.asyncDispose]: async () => {
      stopped = true;
      clearTimeout(timer);
      const running = child;
      if (running?.pid === undefined) return;
      const ended = new Promise<void>((resolve) => {
        onEnd = resolve;
      });
      // Its group: it may have children of its own. KILL, because it may have been stopped (SIGSTOP) by an experiment.
      signalProcess(-running.pid, 'SIGKILL');
      await ended;
    },
  };
}

function start(spec: ServiceSpec): ChildProcess {
  // The host's home belongs to its account: never follow a link laid there.
  const log = openSync(spec.logFile, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW, 0o644);
  const identity = spec.account === undefined ? {} : { uid: spec.account.uid, gid: spec.account.gid };
  try {
    const options = { cwd: spec.cwd, env: spec.env, detached: true, ...identity };
    const child = spawn(process.execPath, [spec.entry, spec.name], { ...options, stdio: ['pipe', log, log] });
    child.stdin?.on('error', () => undefined);
    child.stdin?.write(`${JSON.stringify(spec.settings)}\n`);
    return child;
  } finally {
    closeSync(log);
  }
}
