/** One question a sample, over sockets of its own (c-ares), without a cache. */
import { promises } from 'node:dns';
import type { Client, Reading } from '../asking.ts';
import type { DnsSpec } from './schema.ts';

export class Questioner implements Client {
  readonly #spec: DnsSpec;
  readonly #resolver: promises.Resolver;

  constructor(spec: DnsSpec, timeoutMs: number) {
    this.#spec = spec;
    this.#resolver = new promises.Resolver({ timeout: timeoutMs, tries: 1 });
    if (spec.server !== undefined) this.#resolver.setServers([spec.server]);
  }

  async ask(): Promise<Reading> {
    const answers = await this.#answers();
    if (answers.length === 0) return { ok: false, error: 'ENODATA' };
    const { expect } = this.#spec;
    if (expect === undefined || answers.some((answer) => sameAnswer(answer, expect))) return { ok: true };
    return { ok: false, error: 'another answer' };
  }

  close(): void {
    this.#resolver.cancel();
  }

  async #answers(): Promise<string[]> {
    const { name, type } = this.#spec;
    switch (type) {
      case 'MX':
        return (await this.#resolver.resolveMx(name)).map(({ priority, exchange }) => `${priority} ${exchange}`);
      case 'SRV':
        return (await this.#resolver.resolveSrv(name)).map(
          ({ priority, weight, port, name: host }) => `${priority} ${weight} ${port} ${host}`,
        );
      case 'TXT':
        return (await this.#resolver.resolveTxt(name)).map((parts) => parts.join(''));
      case 'A':
      case 'AAAA':
      case 'CNAME':
      case 'NS':
      case 'PTR':
        return (await this.#resolver.resolve(name, type)) as string[];
    }
  }
}

/** Names are the same with or without the dot at their end, in any case (RFC 4343). */
function sameAnswer(answer: string, expected: string): boolean {
  const plain = (text: string): string => text.replace(/\.$/, '').toLowerCase();
  return plain(answer) === plain(expected);
}
