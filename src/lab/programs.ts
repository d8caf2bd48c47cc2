/** Runs local programs for the lab, as another account where asked; never through a shell that could expand something. */
import { execFile } from 'node:child_process';
import { ChaosError } from '../core/errors.ts';
import { tail } from '../core/text.ts';
import type { Account } from './record.ts';

export interface ProgramOptions {
  /** Absent: as this process. */
  readonly account?: Account | undefined;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Milliseconds; then it is killed. Default 30 s. */
  readonly timeout?: number;
}

/** Its standard output. Rejects with `CHAOS_LAB` and the end of what it said when it fails, or with the signal's reason. */
export function runProgram(file: string, args: readonly string[], options: ProgramOptions, signal: AbortSignal): Promise<string> {
  const { account, env, cwd = '/', timeout = 30_000 } = options;
  const identity = account === undefined ? {} : { uid: account.uid, gid: account.gid };
  return new Promise((resolve, reject) => {
    execFile(file, args, { env, cwd, timeout, signal, killSignal: 'SIGKILL', ...identity }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else if (signal.aborted) reject(signal.reason as Error);
      else {
        const said = tail(stderr.trim() || stdout.trim() || error.message);
        reject(new ChaosError('CHAOS_LAB', `${file} ${args[0] ?? ''} failed: ${said}`, { cause: error }));
      }
    });
  });
}

/** Does the program end with 0? Never rejects but for the signal. */
export async function succeeds(file: string, args: readonly string[], options: ProgramOptions, signal: AbortSignal): Promise<boolean> {
  try {
    await runProgram(file, args, options, signal);
    return true;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
