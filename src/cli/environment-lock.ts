/**
 * One run per environment from this machine and account: a small file that names who holds it, gone with the run. It is stale as soon as
 * its process is gone. Runners on other machines do not see it; locks that live on the targets will.
 */
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChaosError } from '../core/errors.ts';
import { identify, isAlive } from '../lab/processes.ts';
import { ProcessIdentity } from '../lab/record.ts';

/** Takes the lock on the environment in `file` (absolute path). Throws `CHAOS_REFUSED`, naming the holder. */
export function lockEnvironment(file: string): Disposable {
  const name = createHash('sha256').update(file).digest('hex').slice(0, 16);
  const path = join(tmpdir(), `chaos-lock-${process.getuid?.() ?? 'user'}-${name}`);
  if (!tryTake(path)) {
    const holder = readHolder(path);
    if (holder !== undefined && isAlive(holder)) {
      throw new ChaosError('CHAOS_REFUSED', `process ${holder.pid} is running on this environment already`, {
        target: file,
        hint: 'wait for it, or stop it with Ctrl-C in its terminal; two runs would measure each other',
      });
    }
    rmSync(path, { force: true });
    if (!tryTake(path)) {
      throw new ChaosError('CHAOS_REFUSED', 'another run took this environment just now', { target: file, hint: 'try again' });
    }
  }
  return {
    [Symbol.dispose]() {
      if (readHolder(path)?.pid === process.pid) rmSync(path, { force: true });
    },
  };
}

function tryTake(path: string): boolean {
  try {
    writeFileSync(path, JSON.stringify(identify(process.pid)), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new ChaosError('CHAOS_REFUSED', 'the environment cannot be locked', {
      target: path,
      hint: 'set TMPDIR to a folder you may write to',
      cause,
    });
  }
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return ProcessIdentity.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
