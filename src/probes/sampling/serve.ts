/** The sampling thread's side: runs the probes, watches itself, and hands samples over once it knows whether it can vouch for them. */
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { basename } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import { CleanupStack } from '../../core/cleanup-stack.ts';
import type { Sample } from '../contract.ts';
import type { InvalidStretch, Sampling } from './contract.ts';
import { startHeartbeat } from './heartbeat.ts';
import { startLoopback } from './loopback.ts';
import { type FromThread, failureOf, sharedMs, type ThreadOrder, type ToThread } from './protocol.ts';
import { type SamplerParts, startProbes } from './sampler.ts';
import { Voucher } from './vouch.ts';

/** Lower is sooner. */
const urgent = -10;

/** Serves one run; resolves when the probes have started or could not be. */
export async function serveSampling(port: MessagePort, parts: Omit<SamplerParts, 'emit'>, order: ThreadOrder): Promise<void> {
  const say = (message: FromThread): void => port.postMessage(message);
  const cleanup = new CleanupStack();
  try {
    preferThisThread();
    const own = new OwnWatch(longestSample(parts, order), say);
    const now = (): number => sharedMs() - order.origin;
    cleanup.use(await startLoopback((problem) => own.voucher.loopback(problem, now())));
    const sampling = cleanup.use(
      await startProbes({ ...parts, emit: (probe, sample) => own.take(probe, sample) }, { ...order.request, runTime: now() }),
    );
    const heartbeat = startHeartbeat(now, (beat) => own.report(own.voucher.beat(beat)));
    cleanup.defer(() => heartbeat[Symbol.dispose]());
    listen(port, say, sampling, async () => {
      await cleanup[Symbol.asyncDispose]();
      own.report(own.voucher.end());
    });
    say({ type: 'started', ledgers: sampling.ledgers });
  } catch (error) {
    await cleanup[Symbol.asyncDispose]();
    say({ type: 'failed', failure: failureOf(error) });
  }
}

/** What waits for the next beat. */
class OwnWatch {
  readonly voucher: Voucher;
  readonly #say: (message: FromThread) => void;
  readonly #pending = new Map<string, Sample[]>();

  constructor(longestMs: number, say: (message: FromThread) => void) {
    this.voucher = new Voucher(longestMs);
    this.#say = say;
  }

  take(probe: string, sample: Sample): void {
    const waiting = this.#pending.get(probe);
    if (waiting === undefined) this.#pending.set(probe, [sample]);
    else waiting.push(sample);
  }

  report(stretches: readonly InvalidStretch[]): void {
    for (const [probe, samples] of this.#pending) this.#say({ type: 'samples', probe, samples: this.voucher.mark(samples) });
    this.#pending.clear();
    for (const stretch of stretches) this.#say({ type: 'invalid', stretch });
  }
}

function listen(port: MessagePort, say: (message: FromThread) => void, sampling: Sampling, end: () => Promise<void>): void {
  const settling = new Map<string, AbortController>();
  const settle = async (probe: string): Promise<void> => {
    const waited = new AbortController();
    settling.set(probe, waited);
    const answer = await sampling.settle(probe, waited.signal).catch(failureOf);
    settling.delete(probe);
    say({ type: 'settled', probe, answer });
  };
  port.on('message', (message: ToThread) => {
    switch (message.type) {
      case 'stop':
        void sampling
          .stop()
          .then(end)
          .then(() => say({ type: 'stopped' }));
        break;
      case 'settle':
        void settle(message.probe);
        break;
      case 'give-up':
        settling.get(message.probe)?.abort();
        break;
    }
  });
}

function longestSample({ probes }: Pick<SamplerParts, 'probes'>, { request }: ThreadOrder): number {
  return Math.max(0, ...request.probes.map(({ kind, spec }) => probes.get(kind)?.longestSampleMs(spec) ?? 0));
}

/** On a machine that is short of cores, measuring goes first. Linux has a priority for each thread; only root may raise it. */
function preferThisThread(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), urgent);
  } catch {
    // As good as everybody else then; stalls are noticed either way.
  }
}
