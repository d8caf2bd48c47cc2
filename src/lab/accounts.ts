/** Who the lab's hosts run as. PostgreSQL refuses root, and practising as root on one's own machine would be no practice. */
import { ChaosError } from '../core/errors.ts';
import { runProgram, succeeds } from './programs.ts';
import type { Account } from './record.ts';

/** `nobody` first: a `postgres` account may be running a real server that a command on a lab host must not be able to hurt. */
const candidates = ['nobody', 'postgres', '_postgres', 'daemon'];
/** Node passes account numbers on as 32-bit integers; macOS's nobody (4294967294) is none. */
const largestId = 2 ** 31 - 1;

/** Root: an unprivileged account that can reach `dir`. Anyone else: `undefined`, all runs as oneself. Rejects with `CHAOS_LAB`. */
export async function unprivilegedAccount(dir: string, signal: AbortSignal): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const known: Account[] = [];
  for (const name of candidates) {
    const account = await lookUp(name, signal);
    if (account !== undefined) known.push(account);
  }
  for (const account of known) if (await canReach(account, dir, signal)) return account;
  if (known.length > 0) {
    throw new ChaosError('CHAOS_LAB', `the folder ${dir} cannot be reached by the unprivileged account ${known[0]?.name}`, {
      hint: 'set TMPDIR to a folder that everyone may enter, such as /tmp, or run chaos as a normal user',
    });
  }
  throw new ChaosError('CHAOS_LAB', 'PostgreSQL refuses to run as root and there is no unprivileged account to run it as', {
    hint: `run chaos as a normal user, or create one of the accounts ${candidates.join(', ')}`,
  });
}

async function lookUp(name: string, signal: AbortSignal): Promise<Account | undefined> {
  try {
    const uid = Number(await runProgram('id', ['-u', name], {}, signal));
    const gid = Number(await runProgram('id', ['-g', name], {}, signal));
    return uid > 0 && uid <= largestId && gid <= largestId ? { name, uid, gid } : undefined;
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function canReach(account: Account, dir: string, signal: AbortSignal): Promise<boolean> {
  return succeeds('/bin/sh', ['-c', 'test -x "$0"', dir], { account }, signal);
}

/** Can `account` run node with `script`? A checkout or a node below /root cannot be read by anyone else. */
export async function canRunNode(account: Account, script: string, signal: AbortSignal): Promise<boolean> {
  // `pg` is looked up from where the service's script is.
  const look = "require('node:fs').readFileSync(process.argv[1]); require('node:module').createRequire(process.argv[1]).resolve('pg')";
  return succeeds(process.execPath, ['-e', look, script], { account, env: {} }, signal);
}
