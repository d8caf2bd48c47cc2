/** Asks an HTTP API for JSON, and has a number read from it. */
import type { Client, Reading } from './asking.ts';
import { parseJson } from './expectations.ts';
import { HttpClient } from './http-client.ts';
import { accessHeaders } from './http-fields.ts';
import type { Slot } from './schedule.ts';
import type { TlsTrust } from './tls.ts';

/** A number, or why there is none, in a few stable words. */
export type Found = number | string;

export interface JsonApiOptions {
  /** The API's own address, without the path of the question. */
  readonly base: string;
  readonly path: string;
  readonly parameters?: readonly (readonly [name: string, value: string])[];
  readonly access: Parameters<typeof accessHeaders>[0];
  readonly tls: TlsTrust;
  /** Sent as JSON. Absent: nothing is sent. */
  readonly body?: unknown;
  /** Of an answer with status 200. */
  read(json: unknown): Found;
  /** Of an answer with another status; `undefined` when its JSON says no more than the status. */
  refusal?(json: unknown): string | undefined;
}

export class JsonApi implements Client {
  readonly #options: JsonApiOptions;
  readonly #client: HttpClient;

  constructor(options: JsonApiOptions) {
    const { access, tls, body } = options;
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    this.#options = options;
    this.#client = new HttpClient({
      url: urlOf(options),
      method: body === undefined ? 'GET' : 'POST',
      headers: { accept: 'application/json', ...json, ...accessHeaders(access) },
      body: body === undefined ? undefined : JSON.stringify(body),
      keepAlive: true,
      tls,
      reads: true,
    });
  }

  async ask({ signal }: Pick<Slot, 'signal'>): Promise<Reading> {
    const { status, text, whole } = await this.#client.ask(signal);
    const data = parseJson(text);
    if (status !== 200) {
      const why = data === undefined ? undefined : this.#options.refusal?.(data.json);
      return { ok: false, error: why ?? `status ${status}` };
    }
    if (!whole) return { ok: false, error: 'body too large' };
    return data === undefined ? { ok: false, error: 'not JSON' } : readingOf(this.#options.read(data.json));
  }

  close(): void {
    this.#client.close();
  }
}

/** What is no finite number is no measurement. */
export function readingOf(found: Found): Reading {
  if (typeof found === 'string') return { ok: false, error: found };
  return Number.isFinite(found) ? { ok: true, value: found } : { ok: false, error: 'not a number' };
}

function urlOf({ base, path, parameters = [] }: JsonApiOptions): string {
  // Each sample says so then, as for any other request.
  if (!URL.canParse(base)) return base;
  const url = new URL(base);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  for (const [name, value] of parameters) url.searchParams.append(name, value);
  return url.href;
}
