/** A host session over this machine's own shell: what the engine pipes and feeds goes through real processes. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { ChaosError } from '../../src/core/errors.ts';
import type {
  ArmedCommand,
  CommandRequest,
  CommandResult,
  HostAddress,
  HostDriver,
  HostSession,
  RunningCommand,
} from '../../src/drivers/contract.ts';

/** Opens {@link LocalSession}s; `children` are all processes that were ever started. */
export class LocalDriver implements HostDriver {
  readonly kind = 'ssh';
  readonly children: ChildProcessWithoutNullStreams[] = [];

  async connect(host: HostAddress): Promise<HostSession> {
    return new LocalSession(this, host);
  }

  /** How many of the processes are still there. */
  alive(): number {
    return this.children.filter((child) => child.exitCode === null && child.signalCode === null).length;
  }
}

class LocalSession implements HostSession {
  readonly target: HostSession['target'];
  readonly lost = new Promise<Error>(() => undefined);
  readonly #driver: LocalDriver;

  constructor(driver: LocalDriver, host: HostAddress) {
    this.#driver = driver;
    this.target = host.id;
  }

  async run(request: CommandRequest, signal: AbortSignal): Promise<CommandResult> {
    const running = await this.start(request, signal);
    const chunks: Buffer[] = [];
    running.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    running.stdin.end(request.stdin ?? '');
    return { ...(await running.result), stdout: Buffer.concat(chunks).toString('utf8') };
  }

  async start({ command, timeout }: Omit<CommandRequest, 'stdin' | 'maxBytes'>, signal: AbortSignal): Promise<RunningCommand> {
    const child = spawn('sh', ['-c', command], { detached: true });
    this.#driver.children.push(child);
    child.stdin.on('error', () => undefined);
    let ended: CommandResult['ended'] = 'exited';
    const end = (why: CommandResult['ended']): void => {
      ended = why;
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    };
    const timer = setTimeout(() => end('timed-out'), timeout);
    const onAbort = (): void => end('aborted');
    signal.addEventListener('abort', onAbort, { once: true });
    const stderr: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    const result = new Promise<CommandResult>((resolve) => {
      child.once('exit', (code, killedBy) => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        const how = { ended, exitCode: ended === 'exited' ? code : null, signal: killedBy };
        setImmediate(() =>
          resolve({ ...how, stdout: '', stderr: Buffer.concat(stderr).toString('utf8'), truncated: false, durationMs: 1 }),
        );
      });
    });
    if (signal.aborted) onAbort();
    return { stdin: child.stdin, stdout: child.stdout, result };
  }

  async arm(request: CommandRequest, signal: AbortSignal): Promise<ArmedCommand> {
    return { fire: () => this.run(request, signal), [Symbol.asyncDispose]: async () => undefined };
  }

  dial(): Promise<never> {
    return Promise.reject(new ChaosError('CHAOS_COMMAND', 'nothing to dial here'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#driver.children) if (child.exitCode === null && child.pid !== undefined) child.kill('SIGKILL');
  }
}
