/** Asking every host of an environment the same thing, outside of a run. */
import { CleanupStack } from '../core/cleanup-stack.ts';
import { ChaosError } from '../core/errors.ts';
import { mapLimit } from '../core/limit.ts';
import type { Sessions } from '../engine/sessions.ts';
import { References } from '../environment/references.ts';
import { openEnvironment, type ProjectOptions } from './project.ts';
import { openSessions } from './wire.ts';

/** As many as there may be handshakes at once. */
const hostsAtOnce = 16;

export interface EnvironmentOptions extends ProjectOptions {
  readonly env?: string;
}

/**
 * The answers in the order of the environment file. `ask` tells by itself what went wrong with its host: one that throws ends them all.
 * @throws {ChaosError} CHAOS_USAGE without `options.env`; `who` is the subject of that sentence.
 */
export async function askEveryHost<T>(
  who: string,
  options: EnvironmentOptions,
  ask: (sessions: Sessions, host: string) => Promise<T>,
): Promise<{ readonly environment: string; readonly answers: readonly T[] }> {
  if (options.env === undefined)
    throw new ChaosError('CHAOS_USAGE', `${who} needs an environment whose hosts it asks`, { hint: 'add --env NAME' });
  const signal = new AbortController().signal;
  const { reachAsSsh } = await import('../environment/ssh-config.ts');
  const environment = await reachAsSsh(openEnvironment(options.env, options), signal);
  await using cleanup = new CleanupStack();
  const sessions = cleanup.use(await openSessions(environment, new References(), () => undefined));
  const hosts = environment.hosts.map(({ id }) => id);
  return { environment: environment.name, answers: await mapLimit(hosts, hostsAtOnce, (host) => ask(sessions, host), signal) };
}
