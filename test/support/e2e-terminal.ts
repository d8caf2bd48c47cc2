/** `chaos` in a real pseudo terminal, made by `script` of util-linux: what it draws and how it takes keys. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { chaosBin } from './cli.ts';

export const ctrlC = '\u0003';

export interface TerminalOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Absent: a terminal that does not say its size. */
  readonly columns?: number;
}

export interface TerminalSession extends AsyncDisposable {
  /** Everything written so far, control sequences included. */
  output(): string;
  type(text: string): void;
  /** Resolves when the output matches; rejects after 60 s or when the program has ended without it. */
  see(pattern: RegExp): Promise<void>;
  /** The program's own exit code. */
  readonly exitCode: Promise<number | undefined>;
}

/** Why there is no pseudo terminal here; `undefined` where there is one. */
export function noTerminal(): string | undefined {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux')
      ? undefined
      : '`script` is not that of util-linux';
  } catch {
    return 'there is no `script` (util-linux)';
  }
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export function inTerminal(args: readonly string[], { cwd, env, columns }: TerminalOptions): TerminalSession {
  const size = columns === undefined ? '' : `stty cols ${columns} rows 40; `;
  const command = `${size}exec ${[process.execPath, chaosBin, ...args].map(quote).join(' ')}`;
  const { PATH = '', HOME = '/' } = process.env;
  const child = execa('script', ['-qec', command, '/dev/null'], {
    cwd,
    env: { PATH, HOME, TERM: 'xterm-256color', LANG: 'C.UTF-8', SHELL: '/bin/sh', ...env },
    extendEnv: false,
    stdin: 'pipe',
    reject: false,
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  let output = '';
  let ended = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const exitCode = child.then((result) => {
    ended = true;
    return result.exitCode;
  });
  return {
    output: () => output,
    type: (text) => void child.stdin.write(text),
    async see(pattern) {
      for (let waited = 0; !pattern.test(output); waited += 50) {
        if (ended || waited > 60_000) throw new Error(`${pattern} was not seen in:\n${output.slice(-3_000)}`);
        await sleep(50);
      }
    },
    exitCode,
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill('SIGKILL');
      await exitCode;
    },
  };
}
