/**
 * The built `chaos` as a stranger uses it: a process with arguments, an exit code and two streams. Knows nothing of the sources but the
 * shape of the events on `--json`.
 */
import { join } from 'node:path';
import { execa } from 'execa';
import type { EventOf, EventType, JournalEvent } from '../../src/journal/events.ts';

export const repository = join(import.meta.dirname, '..', '..');

/** `CHAOS_BIN` names another build, so that rebuilding does not disturb tests that are under way. */
export const chaosBin = process.env.CHAOS_BIN ?? join(repository, 'dist', 'bin.js');

export interface ChaosOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input; default none at all, so nobody can be asked. */
  readonly input?: string;
  /** Milliseconds; past it the process is killed and the result says so. Default 120 s. */
  readonly timeout?: number;
}

export interface Finished {
  /** `undefined` when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** A test runner's own variables must not reach the program under test. */
function environment(extra: ChaosOptions['env']): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_|FORCE_COLOR|NO_COLOR|CI$|TEST$|CHAOS_)/.test(name));
  return { ...Object.fromEntries(own), ...extra };
}

function spawnChaos(args: readonly string[], { cwd, env, input, timeout = 120_000 }: ChaosOptions) {
  return execa(process.execPath, [chaosBin, ...args], {
    cwd: cwd ?? repository,
    env: environment(env),
    extendEnv: false,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    timeout,
    killSignal: 'SIGKILL',
    reject: false,
    stripFinalNewline: false,
    // The run's own undoing must be seen, not helped by the test runner's end.
    cleanup: true,
  });
}

/** Runs one command line to its end; never rejects for an exit code. */
export async function runChaos(args: readonly string[], options: ChaosOptions = {}): Promise<Finished> {
  return finished(spawnChaos(args, options));
}

async function finished(child: ReturnType<typeof spawnChaos>): Promise<Finished> {
  const started = performance.now();
  const { exitCode, signal, stdout, stderr, timedOut } = await child;
  const seconds = (performance.now() - started) / 1_000;
  return { exitCode, signal: timedOut ? 'timed out' : signal, stdout: stdout ?? '', stderr: stderr ?? '', seconds };
}

export interface RunningChaos extends AsyncDisposable {
  readonly pid: number;
  /** Everything on `--json` so far, the stream's header left out. */
  readonly events: readonly JournalEvent[];
  readonly done: Promise<Finished>;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** The first such event, also when it came before; rejects, with what the program said, when the program ends without it. */
  waitForEvent<Type extends EventType>(type: Type, predicate?: (event: EventOf<Type>) => boolean): Promise<EventOf<Type>>;
}

/** Starts a command with `--json` and follows its events. Disposing kills it hard if it is still there. */
export function startChaos(args: readonly string[], options: ChaosOptions = {}): RunningChaos {
  const child = spawnChaos([...args, '--json'], options);
  const { pid } = child;
  if (pid === undefined) throw new Error('chaos did not start');
  const events: JournalEvent[] = [];
  const waiting = new Set<() => void>();
  let ended: Finished | undefined;
  const done = finished(child).then((result) => {
    ended = result;
    for (const look of waiting) look();
    return result;
  });
  followLines(child, (line) => {
    const event = JSON.parse(line) as JournalEvent | { readonly type: 'stream.started' };
    if (event.type === 'stream.started') return;
    events.push(event);
    for (const look of waiting) look();
  });
  return {
    pid,
    events,
    done,
    stderr: () => errorsSoFar(child),
    signal: (name) => void process.kill(pid, name),
    waitForEvent: (type, predicate = () => true) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = events.find(
            (event): event is EventOf<typeof type> => event.type === type && predicate(event as EventOf<typeof type>),
          );
          if (found === undefined && ended === undefined) return;
          waiting.delete(look);
          if (found !== undefined) resolve(found);
          else reject(new Error(`chaos ended (exit ${ended?.exitCode}) without ${type}\n${ended?.stderr}`));
        };
        waiting.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      if (ended === undefined) child.kill('SIGKILL');
      await done;
    },
  };
}

const errors = new WeakMap<object, string[]>();

function errorsSoFar(child: object): string {
  return (errors.get(child) ?? []).join('');
}

function followLines(child: ReturnType<typeof spawnChaos>, take: (line: string) => void): void {
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') take(line);
  });
  const said: string[] = [];
  errors.set(child, said);
  child.stderr?.setEncoding('utf8').on('data', (text: string) => said.push(text));
}
