/**
 * The life of one remote command. The wrapper around it names its process group, and begins only when told to: so nothing ever runs
 * that could not be ended, nor begins after it was stopped or the link was cut. A timeout or an abort ends the whole group over a second
 * channel: closing a channel ends nothing, and sshd ignores signal requests for root.
 */
import type ssh2 from 'ssh2';
import { describeError } from '../../core/errors.ts';
import { shellQuote, tail } from '../../core/text.ts';
import type { CommandResult } from '../contract.ts';
import { type ChannelEnd, followChannel, type Link, type OpenChannel, openChannel } from './channel.ts';
import { onAbort } from './on-abort.ts';
import { GroupLine, LastOutput } from './output.ts';
import { type Stop, stopWhen } from './stop.ts';
import { sudoRefusal } from './sudo.ts';

export interface CommandHooks {
  /** It could begin now; `go` lets it. Default: at once. */
  ready?(go: () => void): void;
  /** The command begins; `end` its input. */
  begun(channel: ssh2.ClientChannel): void;
  stdout(chunk: Buffer): void;
  /** See `followChannel`. */
  readonly quietMs?: number;
}

export interface CommandOrder {
  readonly command: string;
  readonly timeout: number;
  /** Of stderr. */
  readonly maxBytes: number;
  /** Through sudo. */
  readonly asRoot: boolean;
}

/** A {@link CommandResult} without stdout, which went to the hooks. */
export type Ending = Omit<CommandResult, 'stdout'>;

/** How long the closing of the channel is awaited once the group is gone, ms. */
const closeGrace = 500;
/** TERM, 2 s, KILL, and what a slow link adds, ms. */
const endTimeout = 10_000;
/** Never asks: what would need a password fails. */
const becomeRoot = 'sudo -n -- ';
/** The ending script's word for: still there, and not ours to end. */
const othersProcess = 77;

/** Never rejects. */
export async function execute(link: Link, order: CommandOrder, hooks: CommandHooks, signal: AbortSignal): Promise<Ending> {
  const startedAt = performance.now();
  const stderr = new LastOutput(order.maxBytes);
  const stop = stopWhen(order.timeout, [signal, link.closing]);
  const end = (how: Partial<Ending> & Pick<Ending, 'ended'>): Ending => ({
    exitCode: null,
    signal: null,
    stderr: stderr.text(),
    truncated: stderr.truncated,
    durationMs: performance.now() - startedAt,
    ...how,
  });
  try {
    const text = wrap(link.mark, order);
    const attach = (channel: ssh2.ClientChannel): Following => attachTo(channel, link, stderr, hooks, stop);
    const opened = await openChannel(link, text, false, attach, stop.signal).catch((error: Error) => error);
    if (opened instanceof Error)
      return end(stop.signal.aborted && !link.gone.aborted ? { ended: stop.kind } : lost(link, describeError(opened)));
    try {
      return end(await follow(link, order, opened, stderr, stop));
    } finally {
      opened.retire();
    }
  } finally {
    stop.release();
  }
}

// printf, not echo: it is the same in every shell. The newline before the command: a syntax error in it must not swallow the first line.
// `read` takes one line and leaves the rest of the input to the command (POSIX); it fails when the input ends instead.
// sudo may keep the shell in its own process group or give it another one, so there the shell reads which.
function wrap(mark: string, { command, asRoot }: CommandOrder): string {
  const own = `{ read -r _ <"/proc/$$/stat" && set -- \${_##*) } && set -- "$3"; } 2>/dev/null || set -- "$$"; `;
  const name = asRoot ? `${own}printf '%s %s\\n' ${mark} "$1"; set --; ` : `printf '%s %s\\n' ${mark} "$$"; `;
  return `exec ${asRoot ? becomeRoot : ''}/bin/sh -c ${shellQuote(`${name}read -r _ || exit 125\n${command}`)}`;
}

interface Following {
  readonly group: GroupLine;
  readonly done: Promise<ChannelEnd>;
}

function attachTo(channel: ssh2.ClientChannel, link: Link, stderr: LastOutput, hooks: CommandHooks, stop: Stop): Following {
  const group = new GroupLine(link.mark, () => {
    if (hooks.ready === undefined) go();
    else hooks.ready(go);
  });
  function go(): void {
    if (stop.signal.aborted) return; // its input has ended: it will not begin
    channel.write('\n');
    hooks.begun(channel);
  }
  const stdout = (chunk: Buffer): void => {
    const own = group.strip(chunk);
    if (own.length > 0) hooks.stdout(own);
  };
  return { group, done: followChannel(channel, link.gone, { stdout, stderr: (chunk) => stderr.add(chunk) }, hooks.quietMs) };
}

async function follow(
  link: Link,
  order: CommandOrder,
  opened: OpenChannel<Following>,
  stderr: LastOutput,
  stop: Stop,
): Promise<Partial<Ending> & Pick<Ending, 'ended'>> {
  const { group, done } = opened.attached;
  const finished = await unlessAborted(done, stop.signal);
  if (finished !== undefined) return judge(link, order, finished, group, stderr);
  if (group.group === undefined) {
    opened.channel.end(); // never told to begin, now it cannot
    return { ended: stop.kind };
  }
  const problem = await endGroup(link, group.group, order.asRoot);
  if (problem !== undefined || link.gone.aborted) return lost(link, problem ?? '');
  const last = await unlessAborted(done, AbortSignal.timeout(closeGrace));
  return { ended: stop.kind, signal: last?.exit?.signal ?? null };
}

function judge(
  link: Link,
  order: CommandOrder,
  end: ChannelEnd,
  group: GroupLine,
  stderr: LastOutput,
): Partial<Ending> & Pick<Ending, 'ended'> {
  if (end.exit === undefined) return lost(link, 'the channel closed without an exit status');
  const { code, signal } = end.exit;
  // Complete or not: what was on its way when the link went is missing.
  if (end.closed === 'cut') return lost(link, 'the output may be incomplete');
  if (group.group === undefined && order.asRoot)
    return { ended: 'exited', exitCode: code === 0 ? 1 : code, signal, stderr: sudoRefusal(stderr.text()) };
  if (group.group === undefined) return lost(link, `the login shell did not run it (exit ${code ?? signal}): ${tail(stderr.text(), 200)}`);
  return { ended: 'exited', exitCode: code, signal, truncated: stderr.truncated || end.closed === 'held' };
}

function lost(link: Link, because: string): { readonly ended: 'lost'; readonly lostBecause: string } {
  return { ended: 'lost', lostBecause: link.gone.aborted ? describeError(link.gone.reason) : because };
}

/** Ends the command's process group. Gives the reason when it cannot be sure that it did. */
async function endGroup(link: Link, group: number, asRoot: boolean): Promise<string | undefined> {
  const problem = await runEnding(link, endingScript(group), asRoot);
  return problem === undefined ? undefined : `process group ${group} could not be ended: ${problem}`;
}

/**
 * TERM, up to 2 s, KILL. All on the target: a link that is cut in between cannot leave it half done. `kill -TERM -PGID` is the only
 * spelling that dash, bash and busybox share; a `sleep` without fractions waits whole seconds. `kill -0` takes zombies for living and
 * another user's processes (sudo) for gone, so `ps` is asked where it can answer.
 */
function endingScript(group: number): string {
  return [
    'left() {',
    '  all=$(ps -A -o pgid= -o stat= 2>/dev/null)',
    `  if [ -z "$all" ]; then kill -0 -${group} 2>/dev/null; return; fi`,
    `  echo "$all" | awk '$1 == ${group} && $2 !~ /^Z/ { found = 1 } END { exit !found }'`,
    '}',
    `kill -TERM -${group} 2>/dev/null`,
    'n=0',
    'while left && [ $n -lt 20 ]; do sleep 0.1 2>/dev/null || { sleep 1; n=$((n+9)); }; n=$((n+1)); done',
    'left || exit 0',
    `kill -KILL -${group} 2>/dev/null`,
    'sleep 0.1 2>/dev/null || sleep 1',
    `if left; then sleep 1; if left; then exit ${othersProcess}; fi; fi`,
    'exit 0',
  ].join('\n');
}

async function runEnding(link: Link, script: string, asRoot: boolean): Promise<string | undefined> {
  const deadline = AbortSignal.timeout(endTimeout);
  const attach = (channel: ssh2.ClientChannel): Promise<ChannelEnd> => {
    channel.end();
    return followChannel(channel, link.gone, { stdout: () => undefined, stderr: () => undefined }, closeGrace);
  };
  const opened = await openChannel(link, `exec ${asRoot ? becomeRoot : ''}/bin/sh -c ${shellQuote(script)}`, true, attach, deadline).catch(
    (error: Error) => error,
  );
  if (opened instanceof Error) return describeError(opened);
  const end = await unlessAborted(opened.attached, deadline);
  opened.retire();
  if (end === undefined) return 'no answer in time';
  if (end.exit?.code === othersProcess) return 'part of it runs as another user';
  return end.exit?.code === 0 ? undefined : `exit ${end.exit?.code ?? end.exit?.signal ?? 'unknown'}`;
}

/** The promise's value, or `undefined` as soon as the signal aborts. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const release = onAbort(signal, () => resolve(undefined));
    promise.finally(release).then(resolve, reject);
  });
}
