/** One request of the http probe, from its start to the last byte of the body (or the first MiB of it). */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { sampleError } from '../errors.ts';
import type { Attempt } from '../schedule.ts';
import { type HttpSpec, statusBounds } from './schema.ts';
import { sharedLookup } from './shared-lookup.ts';

/** Enough to see that an answer is whole; a larger body is a download, and its rest says nothing about the target. */
const maxBodyBytes = 1024 * 1024;
/** RFC 9110, 9.2.2: only these may be sent again without being asked to. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

interface Answer {
  readonly attempt: Attempt;
  /** The connection was an old one, and gone before any answer. */
  readonly raced: boolean;
}

export class HttpClient {
  readonly #spec: HttpSpec;
  readonly #secure: boolean;
  readonly #kept: HttpAgent;
  readonly #fresh: HttpAgent;
  readonly #lookup = sharedLookup();

  constructor(spec: HttpSpec) {
    this.#spec = spec;
    this.#secure = /^https:/i.test(spec.url);
    this.#kept = this.#agent(spec.connection === 'keep-alive');
    this.#fresh = this.#agent(false);
  }

  /** Never rejects. After `signal` aborts the connection is gone. */
  async ask(signal: AbortSignal): Promise<Attempt> {
    const first = await this.#once(this.#kept, signal);
    // The server closed an idle connection in the moment it was used again: that is HTTP at work, not a failure of the target.
    if (!first.raced || !idempotent.has(this.#spec.method) || signal.aborted) return first.attempt;
    return (await this.#once(this.#fresh, signal)).attempt;
  }

  close(): void {
    this.#kept.destroy();
    this.#fresh.destroy();
  }

  #agent(keepAlive: boolean): HttpAgent {
    return this.#secure ? new HttpsAgent({ keepAlive }) : new HttpAgent({ keepAlive });
  }

  #once(agent: HttpAgent, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve) => {
      let request: ClientRequest;
      let answered = false;
      const fail = (error: unknown, raced = false): void => resolve({ attempt: { ok: false, error: sampleError(error) }, raced });
      try {
        request = this.#send(agent, signal);
      } catch (error) {
        fail(error);
        return;
      }
      request.on('error', (error) => fail(error, !answered && request.reusedSocket && sampleError(error) === 'reset'));
      request.on('response', (response) => {
        answered = true;
        drain(response, (error) => (error === undefined ? resolve({ attempt: this.#judge(response), raced: false }) : fail(error)));
      });
      // A target that answers a request with a protocol switch nobody asked for.
      request.on('upgrade', (_response, socket) => {
        socket.destroy();
        fail(undefined);
      });
    });
  }

  #send(agent: HttpAgent, signal: AbortSignal): ClientRequest {
    const { url, method, headers, body } = this.#spec;
    const start = this.#secure ? httpsRequest : httpRequest;
    const request = start(url, { method, headers, agent, lookup: this.#lookup, signal });
    if (body === undefined) return request.end();
    const bytes = Buffer.from(body);
    if (!request.hasHeader('content-length')) request.setHeader('content-length', bytes.length);
    return request.end(bytes);
  }

  #judge({ statusCode = 0 }: IncomingMessage): Attempt {
    const { low, high } = statusBounds(this.#spec.expectStatus);
    return statusCode >= low && statusCode <= high ? { ok: true } : { ok: false, error: `status ${statusCode}` };
  }
}

/** Reads the body and forgets it; calls back once, with the error if the body broke off. */
function drain(response: IncomingMessage, done: (error?: unknown) => void): void {
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBodyBytes) return;
    done();
    response.destroy();
  });
  response.once('end', () => done());
  response.on('error', (error) => done(error));
  response.once('close', () =>
    done(response.complete ? undefined : Object.assign(new Error('the body broke off'), { code: 'ECONNRESET' })),
  );
}
