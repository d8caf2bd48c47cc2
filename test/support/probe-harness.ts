/** For the contract suite: how to give each kind of probe a target that works, stops, pauses, or is not what it should be. */
import type { SqlConnector } from '../../src/drivers/contract.ts';
import { postgresqlConnector } from '../../src/drivers/sql/postgresql.ts';
import type { DatabaseCluster } from '../../src/plan/plan.ts';
import { clusterOf, PgCluster, postgresMissing } from './probe-postgres.ts';
import { closedPort, httpTarget, type Target } from './probe-target.ts';

export interface WorkingTarget extends AsyncDisposable {
  readonly port: number;
  goAway(): Promise<void>;
  comeBack(): Promise<void>;
  /** Answers nothing for `ms`, then everything that was asked. */
  pause(ms: number): Promise<void>;
}

export interface Harness {
  /** Why no working target can be made on this machine. */
  readonly missing?: string | undefined;
  /** The spec that aims at `port`, without rate and timeout. */
  spec(port: number): Record<string, unknown>;
  parts(port: number): { readonly sql?: SqlConnector; readonly databases?: readonly DatabaseCluster[] };
  working(): Promise<WorkingTarget>;
  /** What a target says that begins well and never ends. */
  readonly flood: Buffer;
}

export const harnesses: Readonly<Record<string, Harness>> = {
  http: {
    spec: (port) => ({ url: `http://127.0.0.1:${port}/` }),
    parts: () => ({}),
    working: workingHttp,
    flood: Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n'),
  },
  'postgres-ledger': {
    missing: postgresMissing,
    spec: () => ({ database: 'orders' }),
    parts: (port) => ({ sql: postgresqlConnector, databases: [clusterOf([{ name: 'db-a', port }])] }),
    working: workingPostgres,
    // AuthenticationOk, then a notice that is said to be a gigabyte long.
    flood: Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x4e, 0x40, 0, 0, 0]),
  },
};

async function workingHttp(): Promise<WorkingTarget> {
  const port = await closedPort();
  let held = Promise.resolve();
  const start = (): Promise<Target> =>
    httpTarget((_request, response) => {
      // A pause only ever resolves.
      void held.then(() => response.end('ok'));
    }, port);
  let target = await start();
  return {
    port,
    goAway: () => target[Symbol.asyncDispose]() as Promise<void>,
    comeBack: async () => {
      target = await start();
    },
    pause: (ms) => {
      held = new Promise((resolve) => {
        setTimeout(resolve, ms);
      });
      return held;
    },
    [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
  };
}

async function workingPostgres(): Promise<WorkingTarget> {
  const { cluster, primary } = await PgCluster.create();
  return {
    port: primary.port,
    goAway: () => primary.signal('SIGKILL'),
    comeBack: () => primary.start(),
    pause: async (ms) => {
      await primary.sql(`BEGIN; LOCK TABLE chaos.drill IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(${ms / 1_000}); COMMIT`);
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}
