/** One direction of a connection: what arrives is sent on when a network that does what the shape says would have delivered it. */
import type { Socket } from 'node:net';
import { segmentBytes } from './host-network.ts';
import type { Shape } from './qdisc.ts';

export interface PipeOptions {
  readonly shape: () => Shape | undefined;
  readonly count: (bytes: number, what: { readonly lost: boolean }) => void;
  /** 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

/** First and longest wait before TCP sends a lost segment again, ms (RFC 6298; Linux begins at 200 ms on a fast network). */
const [firstRetryMs, longestRetryMs] = [200, 1_600] as const;
/** Beyond it the sender is not read any more, as with a full window. */
const mostQueuedBytes = 1 << 20;

interface Queued {
  /** `undefined`: the sender has ended. */
  readonly data: Buffer | undefined;
  /** On performance.now()'s clock. */
  dueAt: number;
  retryMs: number;
}

/** Begins to read `from`; ends `to` after `from` has ended and all was delivered. The caller handles errors of both. */
export function pipeShaped(from: Socket, to: Socket, options: PipeOptions): void {
  const queue: Queued[] = [];
  let queuedBytes = 0;
  let freeAt = 0;
  let timer: NodeJS.Timeout | undefined;

  const enqueue = (data: Buffer | undefined): void => {
    const now = performance.now();
    const { delay = 0, jitter = 0, rate } = options.shape() ?? {};
    if (rate !== undefined && data !== undefined) freeAt = Math.max(now, freeAt) + (data.length / rate) * 1_000;
    const sentAt = rate === undefined ? now : Math.max(now, freeAt);
    // A stream keeps its order: what comes early waits for what went before it.
    const dueAt = Math.max(sentAt + Math.max(0, delay + (2 * options.random() - 1) * jitter), queue.at(-1)?.dueAt ?? 0);
    queue.push({ data, dueAt, retryMs: firstRetryMs });
    queuedBytes += data?.length ?? 0;
    if (queuedBytes > mostQueuedBytes) from.pause();
    if (queue.length === 1) deliver();
  };
  const deliver = (): void => {
    clearTimeout(timer);
    if (to.writableNeedDrain) return;
    for (let head = queue[0]; head !== undefined; head = queue[0]) {
      if (to.destroyed) return;
      const wait = head.dueAt - performance.now();
      if (wait > 0 || isLost(head)) {
        timer = setTimeout(deliver, Math.max(0, head.dueAt - performance.now()));
        return;
      }
      queue.shift();
      if (head.data === undefined) return void to.end();
      queuedBytes -= head.data.length;
      if (queuedBytes <= mostQueuedBytes) from.resume();
      if (!to.write(head.data)) return;
    }
  };
  /** Counts it, and puts off what has to be sent again. */
  const isLost = (head: Queued): boolean => {
    const shape = options.shape();
    if (head.data === undefined || shape === undefined) return false;
    const segments = Math.ceil(head.data.length / segmentBytes);
    const lost = shape.loss > 0 && options.random() < 1 - (1 - shape.loss) ** segments;
    options.count(head.data.length, { lost });
    if (!lost) return false;
    head.dueAt = performance.now() + head.retryMs;
    head.retryMs = Math.min(longestRetryMs, head.retryMs * 2);
    return true;
  };

  from.on('data', enqueue);
  from.once('end', () => enqueue(undefined));
  to.on('drain', deliver);
  to.once('close', () => clearTimeout(timer));
}
