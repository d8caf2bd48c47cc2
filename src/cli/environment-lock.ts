/**
 * One run per environment from this machine and account: a small file that names who holds it, gone with the run. It is stale as soon as
 * its process is dead. Runners on other machines do not see it; locks that live on the targets will.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChaosError } from '../core/errors.ts';

/** Takes the lock on the environment in `file` (absolute path). Throws `CHAOS_REFUSED`, naming the holder. */
export function lockEnvironment(file: string): Disposable {
  const folder = join(tmpdir(), `chaos-locks-${process.getuid?.() ?? 'user'}`);
  const path = join(folder, createHash('sha256').update(file).digest('hex').slice(0, 16));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (!tryTake(path)) {
    const holder = readHolder(path);
    if (holder !== undefined && isAlive(holder)) {
      throw new ChaosError('CHAOS_REFUSED', `process ${holder} is running on this environment already`, {
        target: file,
        hint: 'wait for it, or stop it with Ctrl-C in its terminal; two runs would measure each other',
      });
    }
    rmSync(path, { force: true });
    if (!tryTake(path))
      throw new ChaosError('CHAOS_REFUSED', 'another run took this environment just now', { target: file, hint: 'try again' });
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

function tryTake(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
