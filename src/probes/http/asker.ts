/** Judges the answers to the http probe's request: by their status, then by their text, then by their JSON. */
import type { Client, Reading } from '../asking.ts';
import { jsonMistake, textMatcher } from '../expectations.ts';
import { type HttpAnswer, HttpClient } from '../http-client.ts';
import { accessHeaders } from '../http-fields.ts';
import type { Slot } from '../schedule.ts';
import type { TlsTrust } from '../tls.ts';
import { type HttpSpec, statusBounds } from './schema.ts';

export class HttpAsker implements Client {
  readonly #spec: HttpSpec;
  readonly #client: HttpClient;
  readonly #hasText: ((text: string) => boolean) | undefined;

  constructor(spec: HttpSpec, tls: TlsTrust) {
    const { url, method, body, connection, expectText, expectJson } = spec;
    const reads = expectText !== undefined || expectJson !== undefined;
    this.#spec = spec;
    this.#hasText = expectText === undefined ? undefined : textMatcher(expectText);
    this.#client = new HttpClient({ url, method, body, headers: accessHeaders(spec), keepAlive: connection === 'keep-alive', tls, reads });
  }

  async ask({ signal }: Slot): Promise<Reading> {
    const error = this.#mistake(await this.#client.ask(signal));
    return error === undefined ? { ok: true } : { ok: false, error };
  }

  close(): void {
    this.#client.close();
  }

  #mistake({ status, text, whole }: HttpAnswer): string | undefined {
    const { expectStatus, expectJson } = this.#spec;
    const { low, high } = statusBounds(expectStatus);
    if (status < low || status > high) return `status ${status}`;
    if (this.#hasText?.(text) === false) return whole ? 'text missing' : 'body too large';
    if (expectJson === undefined) return undefined;
    return whole ? jsonMistake(text, expectJson) : 'body too large';
  }
}
