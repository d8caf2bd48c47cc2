/** One request again and again, each from its start to the last byte of the body (or the first MiB of it). Knows nothing of what is good. */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { sampleError } from './errors.ts';
import { sharedLookup } from './shared-lookup.ts';
import type { TlsTrust } from './tls.ts';
import { tlsOptions } from './tls-context.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly keepAlive: boolean;
  /** It only asks, whatever its method. */
  readonly asksOnly?: boolean;
  readonly tls: TlsTrust;
  /** Is the body's text wanted? Else it is counted and forgotten. */
  readonly reads: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Empty when it is not wanted. */
  readonly text: string;
  /** False: there was more than a mebibyte, and the rest was not waited for. */
  readonly whole: boolean;
}

/** Enough to see that an answer is whole; a larger body is a download, and its rest says nothing about the target. */
const maxBodyBytes = 1024 * 1024;
/** RFC 9110, 9.2.2: only these may be sent again without being asked to. */
const idempotent: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

/** The connection was an old one, and gone before any answer. */
class RacedError extends Error {}

export class HttpClient {
  readonly #request: HttpRequest;
  readonly #secure: boolean;
  readonly #kept: HttpAgent;
  readonly #fresh: HttpAgent;
  readonly #lookup = sharedLookup();

  constructor(request: HttpRequest) {
    this.#request = request;
    this.#secure = /^https:/i.test(request.url);
    const tls = this.#secure ? tlsOptions(request.tls) : {};
    this.#kept = this.#agent(request.keepAlive, tls);
    this.#fresh = this.#agent(false, tls);
  }

  /** Rejects for whatever kept the answer from being complete. After `signal` aborts the connection is gone. */
  async ask(signal: AbortSignal): Promise<HttpAnswer> {
    try {
      return await this.#once(this.#kept, signal);
    } catch (error) {
      if (!(error instanceof RacedError)) throw error;
      // The server closed an idle connection in the moment it was used again: that is HTTP at work, not a failure of the target.
      const { asksOnly = false, method } = this.#request;
      if (!(asksOnly || idempotent.has(method)) || signal.aborted) throw error.cause;
      return this.#once(this.#fresh, signal);
    }
  }

  close(): void {
    this.#kept.destroy();
    this.#fresh.destroy();
  }

  #agent(keepAlive: boolean, tls: ConnectionOptions): HttpAgent {
    return this.#secure ? new HttpsAgent({ keepAlive, ...tls }) : new HttpAgent({ keepAlive });
  }

  #once(agent: HttpAgent, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const request = this.#send(agent, signal);
      let answered = false;
      request.on('error', (error) => {
        const raced = !answered && request.reusedSocket && sampleError(error) === 'reset';
        reject(raced ? new RacedError('', { cause: error }) : error);
      });
      request.on('response', (response) => {
        answered = true;
        readBody(response, this.#request.reads, resolve, reject);
      });
      // A target that answers a request with a protocol switch nobody asked for.
      request.on('upgrade', (_response, socket) => {
        socket.destroy();
        reject(new Error('the protocol was switched'));
      });
    });
  }

  #send(agent: HttpAgent, signal: AbortSignal): ClientRequest {
    const { url, method, headers, body } = this.#request;
    const start = this.#secure ? httpsRequest : httpRequest;
    const request = start(url, { method, headers, agent, lookup: this.#lookup, signal });
    if (body === undefined) return request.end();
    const bytes = Buffer.from(body);
    if (!request.hasHeader('content-length')) request.setHeader('content-length', bytes.length);
    return request.end(bytes);
  }
}

function readBody(response: IncomingMessage, keep: boolean, done: (answer: HttpAnswer) => void, fail: (error: unknown) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const answer = (whole: boolean): void => {
    done({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString(), whole });
  };
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (keep) chunks.push(chunk);
    if (bytes <= maxBodyBytes) return;
    answer(false);
    response.destroy();
  });
  response.once('end', () => answer(true));
  response.on('error', fail);
  response.once('close', () => {
    if (!response.complete) fail(Object.assign(new Error('the body broke off'), { code: 'ECONNRESET' }));
  });
}
