/**
 * Sampling in a thread of its own: what this thread does (handshakes, the journal, a report) does not make a target look slow. The thread is
 * a program of its own, `program`; see `src/cli/sampling-thread.ts`.
 */
import { Worker } from 'node:worker_threads';
import { ChaosError } from '../../core/errors.ts';
import type { LedgerResult } from '../contract.ts';
import type { Sampling, SamplingListener, SamplingRequest } from './contract.ts';
import { type Failure, type FromThread, sharedMs, type ThreadOrder, type ToThread } from './protocol.ts';

export async function startThread(program: string, request: SamplingRequest, listener: SamplingListener): Promise<Sampling> {
  const { runTime, ...rest } = request;
  const order: ThreadOrder = { request: rest, origin: sharedMs() - runTime };
  const thread = new SamplingThread(new Worker(program, { workerData: order, name: 'sampling' }), listener);
  try {
    await thread.started;
    return thread;
  } catch (error) {
    await thread[Symbol.asyncDispose]();
    throw error;
  }
}

interface Waiting {
  resolve(result: LedgerResult): void;
  reject(error: Error): void;
}

class SamplingThread implements Sampling {
  readonly started: Promise<void>;
  ledgers: readonly string[] = [];
  readonly #worker: Worker;
  readonly #listener: SamplingListener;
  readonly #settling = new Map<string, Waiting>();
  readonly #stopped: Promise<void>;
  #haveStopped: () => void = () => undefined;
  #running = false;
  #stopping = false;
  #gone: Error | undefined;

  constructor(worker: Worker, listener: SamplingListener) {
    this.#worker = worker;
    this.#listener = listener;
    this.#stopped = new Promise((resolve) => {
      this.#haveStopped = resolve;
    });
    this.started = new Promise((resolve, reject) => {
      worker.on('message', (message: FromThread) => {
        if (message.type === 'started') {
          this.ledgers = message.ledgers;
          this.#running = true;
          resolve();
        } else if (message.type === 'failed') reject(errorOf(message.failure));
        else this.#take(message);
      });
      const lose = (error: Error): void => {
        reject(error);
        this.#lose(error);
      };
      worker.on('error', (error) => lose(new ChaosError('CHAOS_PROBE', 'the sampling thread broke', { cause: error })));
      worker.on('exit', () => lose(new ChaosError('CHAOS_PROBE', 'the sampling thread ended')));
    });
  }

  stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true;
      this.#say({ type: 'stop' });
    }
    return this.#stopped;
  }

  settle(probe: string, signal: AbortSignal): Promise<LedgerResult> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (this.#gone !== undefined) throw this.#gone;
      const giveUp = (): void => {
        this.#settling.delete(probe);
        this.#say({ type: 'give-up', probe });
        reject(signal.reason as Error);
      };
      const done = (): void => signal.removeEventListener('abort', giveUp);
      signal.addEventListener('abort', giveUp, { once: true });
      this.#settling.set(probe, {
        resolve: (result) => {
          done();
          resolve(result);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      this.#say({ type: 'settle', probe });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    await this.#worker.terminate();
  }

  #say(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #take(message: Exclude<FromThread, { readonly type: 'started' | 'failed' }>): void {
    switch (message.type) {
      case 'samples':
        this.#listener.samples(message.probe, message.samples);
        break;
      case 'invalid':
        this.#listener.invalid(message.stretch);
        break;
      case 'stopped':
        this.#haveStopped();
        break;
      case 'settled': {
        const waiting = this.#settling.get(message.probe);
        this.#settling.delete(message.probe);
        if ('code' in message.answer) waiting?.reject(errorOf(message.answer));
        else waiting?.resolve(message.answer);
        break;
      }
    }
  }

  #lose(error: Error): void {
    if (this.#gone !== undefined) return;
    this.#gone = error;
    this.#haveStopped();
    for (const waiting of this.#settling.values()) waiting.reject(error);
    this.#settling.clear();
    if (this.#running && !this.#stopping) this.#listener.died(error);
  }
}

function errorOf({ code, message }: Failure): ChaosError {
  return new ChaosError(code, message);
}
