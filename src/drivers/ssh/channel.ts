/** One exec channel: opening it, following it to its end, and giving its slot back. Only facts; `command.ts` judges them. */
import type ssh2 from 'ssh2';
import type { TargetId } from '../../core/ids.ts';
import type { ChannelSlots, GiveBack } from './channel-slots.ts';
import { onAbort } from './on-abort.ts';

/** What a command needs of its session. */
export interface Link {
  readonly target: TargetId;
  readonly client: ssh2.Client;
  /** Aborts when the connection is gone, with the error as its reason. */
  readonly gone: AbortSignal;
  /** Aborts when the session is being disposed of. */
  readonly closing: AbortSignal;
  readonly slots: ChannelSlots;
  /** First word of the line that names the process group; random, so that no program prints it by chance. */
  readonly mark: string;
}

export interface OpenChannel<T> {
  readonly channel: ssh2.ClientChannel;
  readonly attached: T;
  /** Closes the channel; the slot is free once the server has closed it too. */
  retire(): void;
}

export interface ChannelEnd {
  /** The only evidence of how the command ended. */
  readonly exit: { readonly code: number | null; readonly signal: string | null } | undefined;
  /** `held`: it exited, but a background child still has its output open and has been silent. `cut`: the connection went first. */
  readonly closed: 'properly' | 'held' | 'cut';
}

/**
 * Opens a channel that runs `text` as it is. Gives an error when it cannot; rejects only when `signal` aborts while it waits for a slot.
 * Once asked for, the answer is awaited: the command may have begun. The keep-alive bounds that wait.
 * `attach` is called before anything else is read from the connection: the exit may stand in the very packet that says it was opened.
 */
export async function openChannel<T>(
  link: Link,
  text: string,
  urgent: boolean,
  attach: (channel: ssh2.ClientChannel) => T,
  signal: AbortSignal,
): Promise<OpenChannel<T> | Error> {
  for (;;) {
    const giveBack = await link.slots.take(urgent, signal);
    const answer = await requestExec(link.client, text, attach);
    if (!(answer instanceof Error)) return { ...answer, retire: () => retire(answer.channel, link, giveBack) };
    const again = isRefusal(answer) && link.slots.refused();
    giveBack();
    if (!again) return answer;
  }
}

function requestExec<T>(
  client: ssh2.Client,
  text: string,
  attach: (channel: ssh2.ClientChannel) => T,
): Promise<Omit<OpenChannel<T>, 'retire'> | Error> {
  return new Promise((resolve) => {
    try {
      client.exec(text, (error, channel) => resolve(error ?? { channel, attached: attach(channel) }));
    } catch (error) {
      resolve(error as Error); // 'Not connected'
    }
  });
}

/** Did the server answer that it allows no further session? (RFC 4254, 5.1: the failure carries a reason code.) */
function isRefusal(error: Error & { readonly reason?: unknown }): boolean {
  return typeof error.reason === 'number';
}

function retire(channel: ssh2.ClientChannel, link: Link, giveBack: GiveBack): void {
  const release = onAbort(link.gone, giveBack);
  const free = (): void => {
    release();
    giveBack();
  };
  if (isClosed(channel)) free();
  else channel.once('close', free);
  // Unread output would keep 'close' from ever coming.
  channel.resume();
  channel.stderr.resume();
  channel.close();
}

function isClosed(channel: ssh2.ClientChannel): boolean {
  return (channel.incoming as { readonly state?: unknown }).state === 'closed' && channel.readableEnded;
}

/** `quietMs`: settle that long after the exit and the last output, even when a background child still holds the output open. */
export function followChannel(
  channel: ssh2.ClientChannel,
  gone: AbortSignal,
  sink: { stdout(chunk: Buffer): void; stderr(chunk: Buffer): void },
  quietMs: number | undefined,
): Promise<ChannelEnd> {
  return new Promise((resolve) => {
    let exit: ChannelEnd['exit'];
    let timer: NodeJS.Timeout | undefined;
    const active = (): void => {
      if (exit === undefined || quietMs === undefined) return;
      clearTimeout(timer);
      timer = setTimeout(() => resolve({ exit, closed: 'held' }), quietMs);
    };
    let open = 2;
    const closed = (): void => {
      open--;
      if (open > 0) return;
      clearTimeout(timer);
      resolve({ exit, closed: gone.aborted ? 'cut' : 'properly' });
    };
    // A write after the end is an 'error' here; what matters is how the channel ends.
    channel.on('error', () => undefined);
    channel.stderr.on('error', () => undefined);
    channel.on('data', (chunk: Buffer) => {
      active();
      sink.stdout(chunk);
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      active();
      sink.stderr(chunk);
    });
    channel.once('exit', (code: number | null, signal?: string) => {
      exit = { code, signal: signal ?? null };
      active();
    });
    channel.once('close', closed);
    channel.stderr.once('end', closed);
  });
}
