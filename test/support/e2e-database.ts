/** The lab's database seen directly, past `chaos`: to break it beforehand and to know afterwards what is really there. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { parse } from 'yaml';
import type { LabInfo } from '../../src/lab/lab.ts';

export type Node = 'db-a' | 'db-b';

interface EnvironmentShape {
  readonly databases: {
    readonly orders: {
      readonly database: string;
      readonly admin: { readonly user: string; readonly password: string };
      readonly nodes: Readonly<
        Record<Node, { readonly port: number; readonly dataDir: string; readonly start: string; readonly stop: string }>
      >;
    };
  };
}

export class LabDatabase {
  readonly #orders: EnvironmentShape['databases']['orders'];
  readonly #password: string;

  constructor(lab: LabInfo) {
    this.#orders = (parse(readFileSync(lab.environmentFile, 'utf8')) as EnvironmentShape).databases.orders;
    const file = /^\$\{file:(.*)\}$/.exec(this.#orders.admin.password)?.[1] ?? '';
    this.#password = readFileSync(join(dirname(lab.environmentFile), file), 'utf8').trim();
  }

  /** The shell command that starts or stops a node on its host. */
  command(node: Node, what: 'start' | 'stop'): string {
    return this.#orders.nodes[node][what];
  }

  postmaster(node: Node): number {
    return Number(readFileSync(join(this.#orders.nodes[node].dataDir, 'postmaster.pid'), 'utf8').split('\n')[0]);
  }

  /** The rows of one or more statements, of the last one. Rejects after 5 s. */
  async query(node: Node, text: string): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({
      host: '127.0.0.1',
      port: this.#orders.nodes[node].port,
      user: this.#orders.admin.user,
      password: this.#password,
      database: this.#orders.database,
      connectionTimeoutMillis: 5_000,
      query_timeout: 5_000,
    });
    // A server that dies under us is what some tests are about.
    client.on('error', () => undefined);
    await client.connect();
    try {
      const result: unknown = await client.query(text);
      const last = Array.isArray(result) ? result.at(-1) : result;
      return (last as { rows: Record<string, unknown>[] }).rows;
    } finally {
      await client.end();
    }
  }

  /** Can it be written to? A down server cannot. */
  async writable(node: Node): Promise<boolean> {
    try {
      await this.query(node, 'CREATE TABLE IF NOT EXISTS e2e_check (at timestamptz); INSERT INTO e2e_check VALUES (now())');
      return true;
    } catch {
      return false;
    }
  }

  /** What the primary says of its standbys: `streaming`. */
  async standbys(primary: Node): Promise<string[]> {
    return (await this.query(primary, 'SELECT state FROM pg_stat_replication')).map((row) => String(row.state));
  }
}

export const otherNode = (node: Node): Node => (node === 'db-a' ? 'db-b' : 'db-a');
