/** The outside of an engine under test: hosts that can be broken and mended by commands, sessions to them that can be cut, and what was done there. */
import { PassThrough } from 'node:stream';
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

/** Answers a command; `undefined` leaves it to the host's own three words. */
export type Answer = (
  request: CommandRequest,
  host: string,
) => Partial<CommandResult> | undefined | Promise<Partial<CommandResult> | undefined>;

const exited: CommandResult = {
  ended: 'exited',
  exitCode: 0,
  signal: null,
  stdout: '',
  stderr: '',
  truncated: false,
  durationMs: 1,
};

/** Hosts know `break X`, `mend X` and `look X` (exit code 0 while X is broken); any other command succeeds. */
export class FakeWorld {
  /** `host:what` of everything that is broken now. */
  readonly broken = new Set<string>();
  /** Every command that reached a host, in order. */
  readonly commands: { readonly host: string; readonly command: string; readonly stdin?: string }[] = [];
  readonly connects: string[] = [];
  readonly open = new Set<FakeSession>();
  answer: Answer = () => undefined;
  /** Called before a connection is made; may reject, or never resolve until `signal` aborts. */
  beforeConnect: (host: string, signal: AbortSignal) => Promise<void> = async () => undefined;

  readonly driver: HostDriver = {
    kind: 'ssh',
    connect: async (host: HostAddress, signal: AbortSignal) => {
      this.connects.push(host.id);
      await this.beforeConnect(host.id, signal);
      signal.throwIfAborted();
      const session = new FakeSession(this, host);
      this.open.add(session);
      return session;
    },
  };

  /** Breaks every connection to `host`. */
  cut(host: string): void {
    for (const session of this.open) if (session.target === host) session.end('connection reset');
  }

  async act(request: CommandRequest, host: string): Promise<CommandResult> {
    const stdin = request.stdin === undefined ? {} : { stdin: String(request.stdin) };
    this.commands.push({ host, command: request.command, ...stdin });
    const answer = await this.answer(request, host);
    if (answer !== undefined) return { ...exited, ...answer };
    const [word, what] = request.command.split(' ');
    const key = `${host}:${what}`;
    if (word === 'break') this.broken.add(key);
    if (word === 'mend') this.broken.delete(key);
    return word === 'look' && !this.broken.has(key) ? { ...exited, exitCode: 1 } : exited;
  }
}

class FakeSession implements HostSession {
  readonly target: HostSession['target'];
  readonly lost: Promise<Error>;
  readonly #world: FakeWorld;
  readonly #ended = new AbortController();
  disposed = 0;

  constructor(world: FakeWorld, host: HostAddress) {
    this.#world = world;
    this.target = host.id;
    this.lost = new Promise((resolve) => this.#ended.signal.addEventListener('abort', () => resolve(this.#ended.signal.reason as Error)));
  }

  end(why: string): void {
    this.#world.open.delete(this);
    this.#ended.abort(new Error(why));
  }

  async run(request: CommandRequest, signal: AbortSignal): Promise<CommandResult> {
    if (this.#ended.signal.aborted) return { ...exited, ended: 'lost', exitCode: null, lostBecause: 'the session is gone' };
    const done = new AbortController();
    const interrupted = new Promise<CommandResult>((resolve) => {
      const end =
        (ended: CommandResult['ended'], more: Partial<CommandResult> = {}) =>
        () =>
          resolve({ ...exited, exitCode: null, ended, ...more });
      if (signal.aborted) end('aborted')();
      signal.addEventListener('abort', end('aborted'), { signal: done.signal });
      this.#ended.signal.addEventListener('abort', end('lost', { lostBecause: 'cut' }), { signal: done.signal });
    });
    return Promise.race([interrupted, this.#world.act(request, this.target)]).finally(() => done.abort());
  }

  async start(request: Omit<CommandRequest, 'stdin' | 'maxBytes'>, signal: AbortSignal): Promise<RunningCommand> {
    const [stdin, stdout] = [new PassThrough(), new PassThrough()];
    stdout.end();
    return { stdin, stdout, result: this.run(request, signal) };
  }

  async arm(request: CommandRequest, signal: AbortSignal): Promise<ArmedCommand> {
    return { fire: () => this.run(request, signal), [Symbol.asyncDispose]: async () => undefined };
  }

  dial(): Promise<never> {
    return Promise.reject(new ChaosError('CHAOS_COMMAND', 'nothing to dial here'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.disposed++;
    this.end('disposed');
  }
}
