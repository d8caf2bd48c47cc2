/** For the contract suites: how to give each kind of probe a target that works, stops, pauses, or is not what it should be. */
import type { RequestListener } from 'node:http';
import type { SqlConnector } from '../../src/drivers/contract.ts';
import { postgresqlConnector } from '../../src/drivers/sql/postgresql.ts';
import type { DatabaseCluster } from '../../src/plan/plan.ts';
import { dnsActs, dnsStage, knownAddress, knownName, workingDns } from './probe-dns.ts';
import { clusterOf, PgCluster, postgresMissing } from './probe-postgres.ts';
import { type Act, asForwarded, asHttp, authority, httpActs, type Stage, tcpActs, tcpStage, tlsActs } from './probe-stage.ts';
import { closedPort, httpTarget, type Target, tcpTarget } from './probe-target.ts';

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
  /** The spec that aims at `port`, over TLS where `ca` is given, without rate and timeout. */
  spec(port: number, ca?: string): Record<string, unknown>;
  parts(port: number): { readonly sql?: SqlConnector; readonly databases?: readonly DatabaseCluster[] };
  working(): Promise<WorkingTarget>;
  /** All the ways in which its target may be broken. */
  readonly acts: Readonly<Record<string, Act>>;
  /** `working`: the port of a target that works. */
  stage(act: Act, working: number): Promise<Stage>;
  /** What a target says that begins well and never ends. */
  readonly flood: Buffer;
}

const postgresFlood = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x4e, 0x40, 0, 0, 0]);

export const harnesses: Readonly<Record<string, Harness>> = {
  http: httpHarness(
    (url, ca) => ({ url, expectText: 'ready', expectJson: { 'data.status': 'ready' }, ...trust(ca) }),
    '{"data":{"status":"ready"}}',
    {
      'another value': ['{"data":{"status":"not ready"}}', /^JSON value differs$/],
      'a value of another type': ['{"data":{"status":["ready"]}}', /^JSON value differs$/],
    },
    // The text is looked for first, and is in none of these.
    {
      'answers HTML': 'text missing',
      'answers nothing': 'text missing',
      'answers other JSON': 'text missing',
      'answers null': 'text missing',
    },
  ),
  tcp: {
    spec: (port, ca) => ({ address: `127.0.0.1:${port}`, send: 'PING\r\n', expectText: 'PONG', ...trust(ca) }),
    parts: () => ({}),
    working: workingEcho,
    acts: {
      ...tcpActs(Buffer.from('PON')),
      ...tlsActs(),
      'ends in the middle of an answer': { on: (socket) => socket.end('PON'), words: /^text missing$/ },
      'talks nonsense': { on: (socket) => socket.end(Buffer.alloc(4_096, 0xff)), words: /^text missing$/ },
      'says something else': { on: (socket) => socket.end('-ERR not now\r\n'), words: /^text missing$/ },
      'says too much': { on: (socket) => socket.write(Buffer.alloc(256 * 1024, 0x78)), words: /^text missing$/ },
    },
    stage: (act) => tcpStage(act, (socket) => socket.once('data', () => socket.end('+PONG\r\n'))),
    flood: Buffer.from('PON'),
  },
  dns: {
    spec: (port) => ({ name: knownName, server: `127.0.0.1:${port}`, expect: knownAddress }),
    parts: () => ({}),
    working: workingDns,
    acts: dnsActs,
    stage: dnsStage,
    flood: Buffer.alloc(0),
  },
  prometheus: httpHarness((url, ca) => ({ url, query: 'up', ...trust(ca) }), vector('1'), {
    'no series': [vector(), /^empty result$/],
    'several series': [vector('1', '2'), /^several series$/],
    NaN: [vector('NaN'), /^not a number$/],
    infinity: [vector('+Inf'), /^not a number$/],
    'a number without quotes': ['{"status":"success","data":{"resultType":"scalar","result":[1,2]}}', /^unexpected JSON$/],
    'a text': ['{"status":"success","data":{"resultType":"string","result":[1,"a"]}}', /^not a number$/],
    'a range': ['{"status":"success","data":{"resultType":"matrix","result":[]}}', /^a range, not a value$/],
    'a failure': ['{"status":"error","errorType":"execution","error":"secret"}', /^query execution$/],
  }),
  alertmanager: httpHarness((url, ca) => ({ url, alert: 'CheckoutErrors', ...trust(ca) }), '[{"status":{"state":"active"}}]', {
    'no list': ['{"data":[]}', /^unexpected JSON$/],
    'other alerts': ['[{"status":"firing"}]', /^unexpected JSON$/],
  }),
  postgres: {
    missing: postgresMissing,
    spec: (port) => ({
      connection: { address: `127.0.0.1:${port}`, database: 'postgres', user: 'postgres' },
      query: 'SELECT n FROM gauge',
    }),
    parts: () => ({ sql: postgresqlConnector }),
    working: () => workingPostgres('gauge', 'CREATE TABLE gauge AS SELECT 1.5 AS n'),
    acts: postgresActs(),
    stage: (act, working) => tcpStage(act, asForwarded(working)),
    flood: postgresFlood,
  },
  'postgres-ledger': {
    missing: postgresMissing,
    spec: () => ({ database: 'orders' }),
    parts: (port) => ({ sql: postgresqlConnector, databases: [clusterOf([{ name: 'db-a', port }])] }),
    working: () => workingPostgres('chaos.drill'),
    acts: postgresActs(),
    stage: (act, working) => tcpStage(act, asForwarded(working)),
    // AuthenticationOk, then a notice that is said to be a gigabyte long.
    flood: postgresFlood,
  },
};

/** What the nodes say is summed up: while they all hang nobody knows yet why. */
function postgresActs(): Readonly<Record<string, Act>> {
  const words = /^(?:timeout|no answer|connection lost|reset|ETIMEDOUT)$/;
  const acts = Object.entries(tcpActs(postgresFlood)).map(([name, act]): [string, Act] => [
    name,
    act.on === 'refuses' ? act : { ...act, words },
  ]);
  return { ...Object.fromEntries(acts), 'talks nonsense': { on: (socket) => socket.write(Buffer.alloc(4_096, 0xff)), words } };
}

/** An answer of the query API with a series for each value. */
export function vector(...values: string[]): string {
  const result = values.map((value, index) => ({ metric: { instance: `web-${index}` }, value: [1_700_000_000.5, value] }));
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
}

function trust(ca: string | undefined): Record<string, unknown> {
  return ca === undefined ? {} : { tls: { ca } };
}

/** `bodies`: what means nothing to the probe, by name, with the words for it; `renamed`: other words for acts that all such probes have. */
function httpHarness(
  spec: (url: string, ca?: string) => Record<string, unknown>,
  good: string,
  bodies: Readonly<Record<string, readonly [body: string, words: RegExp]>>,
  renamed: Readonly<Record<string, string>> = {},
): Harness {
  const answer: RequestListener = (_request, response) => response.end(good);
  const acts = Object.entries(httpActs(bodies)).map(([name, act]): [string, Act] => {
    const words = renamed[name];
    return [name, words === undefined ? act : { ...act, words: new RegExp(`^${words}$`) }];
  });
  return {
    spec: (port, ca) => spec(`${ca === undefined ? 'http' : 'https'}://127.0.0.1:${port}/`, ca),
    parts: () => ({}),
    working: () => workingHttp(good),
    acts: Object.fromEntries(acts),
    stage: (act) => tcpStage(act, asHttp(answer)),
    flood: Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n'),
  };
}

/** For specs that are to trust the certificates of the stage. */
export const stageCa = authority.ca;

function workingHttp(body: string): Promise<WorkingTarget> {
  return workingListener((port, ready) =>
    httpTarget((_request, response) => {
      // A pause only ever resolves.
      void ready().then(() => response.end(body));
    }, port),
  );
}

function workingEcho(): Promise<WorkingTarget> {
  return workingListener((port, ready) =>
    tcpTarget((socket) => {
      socket.once('data', () => {
        // A pause only ever resolves.
        void ready().then(() => socket.end('+PONG\r\n'));
      });
    }, port),
  );
}

async function workingListener(listen: (port: number, ready: () => Promise<void>) => Promise<Target>): Promise<WorkingTarget> {
  const port = await closedPort();
  let held = Promise.resolve();
  const start = (): Promise<Target> => listen(port, () => held);
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

/** A pause keeps everybody from `table`. */
async function workingPostgres(table: string, setup?: string): Promise<WorkingTarget> {
  const { cluster, primary } = await PgCluster.create();
  if (setup !== undefined) await primary.sql(setup);
  return {
    port: primary.port,
    goAway: () => primary.signal('SIGKILL'),
    comeBack: () => primary.start(),
    pause: async (ms) => {
      await primary.sql(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(${ms / 1_000}); COMMIT`);
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}
