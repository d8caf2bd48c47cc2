/** A plan as the planner would make it for the failover drill in the lab, and for a simple reversible fault. */
import type { FaultStep, Operation, Plan } from '../../src/plan/plan.ts';

const comparison = (operator: '>' | '<=' | '==', value: number, unit: 'duration' | 'ratio' | 'count', text: string) => ({
  operator,
  value,
  unit,
  text,
});

function operation(facts: Partial<Operation> & Pick<Operation, 'id' | 'target' | 'stage' | 'text' | 'purpose'>): Operation {
  return { via: 'shell', changes: false, timeoutMs: 10_000, ...facts };
}

export const failoverStep: FaultStep = {
  kind: 'fault',
  id: 's1',
  fault: 'db-failover',
  title: 'Database failover',
  targets: ['db-a'],
  reversibility: 'compensable',
  heals: 'by-itself',
  parameters: { engine: 'postgresql', mode: 'crash' },
  operations: [
    operation({
      id: 'read-role',
      target: 'db-b',
      stage: 'prepare',
      via: 'sql',
      database: 'orders',
      purpose: 'is db-b a streaming standby?',
      text: 'SELECT pg_is_in_recovery(), status FROM pg_stat_wal_receiver',
    }),
    operation({
      id: 'crash',
      target: 'db-a',
      stage: 'inject',
      purpose: 'end the primary at once',
      text: "kill -QUIT $(head -1 '/var/lib/pg/a/postmaster.pid')",
      changes: true,
      undo: 'rebuild db-a as standby of db-b and start it',
    }),
    operation({
      id: 'promote',
      target: 'db-b',
      stage: 'inject',
      via: 'sql',
      database: 'orders',
      purpose: 'make the standby the primary',
      text: 'SELECT pg_promote(true, 30)',
      changes: true,
      undo: 'none: go forward',
      when: 'the old primary is proved down',
      pointOfNoReturn: true,
    }),
    operation({
      id: 'read-writable',
      target: 'db-b',
      stage: 'verify',
      via: 'sql',
      database: 'orders',
      purpose: 'does db-b take writes?',
      text: 'SELECT NOT pg_is_in_recovery()',
    }),
    operation({
      id: 'rebuild',
      target: 'db-b',
      stage: 'revert',
      via: 'copy',
      purpose: 'copy db-b to db-a',
      text: 'pg_basebackup -D - -Ft -X fetch',
      sink: { target: 'db-a', text: "tar -x -C '/var/lib/pg/a'" },
      changes: true,
      undo: 'the old data folder is kept as a.before',
    }),
    operation({
      id: 'start-standby',
      target: 'db-a',
      stage: 'revert',
      purpose: 'start db-a as standby',
      text: '/usr/lib/postgresql/15/bin/pg_ctl -D /var/lib/pg/a -w start',
      changes: true,
      undo: 'pg_ctl stop',
    }),
    operation({
      id: 'read-streaming',
      target: 'db-b',
      stage: 'verify-reverted',
      via: 'sql',
      database: 'orders',
      purpose: 'does db-a follow db-b?',
      text: 'SELECT state FROM pg_stat_replication',
    }),
  ],
  expectations: [
    { measure: 'promotionTime', unit: 'duration', source: 'fault', comparison: comparison('<=', 10_000, 'duration', '<= 10s') },
    { measure: 'writeDowntime', unit: 'duration', source: 'orders-ledger', comparison: comparison('<=', 30_000, 'duration', '<= 30s') },
    { measure: 'lostWrites', unit: 'count', source: 'orders-ledger', comparison: comparison('==', 0, 'count', '== 0') },
  ],
  expectedImpact: { slos: ['checkout-errors'], forMs: 30_000 },
  notes: ['Replication is asynchronous here: acknowledged writes may be lost.'],
};

const cpuStep: FaultStep = {
  kind: 'fault',
  id: 's1',
  fault: 'cpu',
  title: 'CPU saturation',
  targets: ['checkout-1'],
  reversibility: 'reversible',
  heals: 'by-revert',
  parameters: { workers: 2 },
  operations: [
    operation({
      id: 'burn',
      target: 'checkout-1',
      stage: 'inject',
      purpose: 'keep both CPUs busy',
      text: 'nohup sh -c "while :; do :; done" >/dev/null 2>&1 &',
      changes: true,
      undo: 'end the processes that were started',
    }),
    operation({
      id: 'stop',
      target: 'checkout-1',
      stage: 'revert',
      purpose: 'end the load',
      text: 'kill -TERM -- -4711',
      changes: true,
      undo: 'nothing to undo',
    }),
  ],
  expectations: [],
  durationMs: 30_000,
  notes: [],
};

const hosts: Plan['hosts'] = [
  ['lb', 20_022, ['edge'], []],
  ['checkout-1', 20_023, ['checkout'], ['web']],
  ['db-a', 20_025, ['db'], ['db-primary']],
  ['db-b', 20_026, ['db'], ['db-standby']],
].map(([id, port, groups, roles]) => ({
  id: String(id),
  driver: 'ssh',
  address: '127.0.0.1',
  port: Number(port),
  user: 'shop',
  identityFiles: ['keys/id_ed25519'],
  agent: false,
  knownHostsFiles: ['known_hosts'],
  become: 'none',
  jumps: [],
  groups: groups as string[],
  roles: roles as string[],
}));

function planFor(name: string, title: string, hypothesis: string, step: FaultStep, only: readonly string[]): Plan {
  return {
    version: 1,
    experiment: {
      name,
      title,
      owner: 'payments-sre',
      tags: ['monthly'],
      runbook: '../runbooks/db-failover.md',
      hypothesis,
      file: `experiments/${name}.yaml`,
      sha256: '3f1a9c0de7b2450f9b7e1c55d2a8764be0912f6d4c3b8a7e5f60718293a4b5c6',
    },
    environment: { name: 'lab', tier: 'lab', file: 'lab/environment.yaml' },
    hosts: hosts.filter((host) => only.includes(host.id)),
    databases: [],
    probes: [
      { name: 'checkout', kind: 'http', spec: { url: 'http://127.0.0.1:20080/checkout', method: 'POST', rate: '10/s', timeout: '1s' } },
      { name: 'orders-ledger', kind: 'postgres-ledger', spec: { database: 'orders', rate: '50/s', connections: 4, timeout: '2s' } },
    ],
    slos: [
      {
        name: 'checkout-errors',
        probe: 'checkout',
        measure: 'error-rate',
        unit: 'ratio',
        windowMs: 10_000,
        fatal: comparison('>', 0.05, 'ratio', '> 5%'),
        objective: { share: 0.999, periodMs: 30 * 86_400_000 },
      },
      {
        name: 'checkout-latency',
        probe: 'checkout',
        measure: 'p90',
        unit: 'duration',
        windowMs: 10_000,
        severe: comparison('>', 500, 'duration', '> 500ms'),
        fatal: comparison('>', 900, 'duration', '> 900ms'),
      },
    ],
    abort: { bad: 5, of: 100, consecutive: 3 },
    steadyState: { baselineMs: 10_000, recovery: { withinMs: 60_000, holdMs: 10_000 } },
    steps: [step, { kind: 'wait', id: 's2', forMs: 20_000 }],
    limits: { maxTargets: 1, maxShare: 0.5, maxDurationMs: 300_000 },
    timeouts: { connectMs: 10_000, prepareMs: 30_000, rollbackMs: 120_000 },
    guards: [
      { guard: 'max-targets', allowed: true, reason: '1 target of at most 1' },
      { guard: 'max-share', allowed: true, reason: '1 of 2 hosts in db is 50 %, at most 50 %' },
      { guard: 'protected', allowed: true, reason: 'no protected host is a target' },
    ],
    hash: '9d2c64c1a0f34f6e8f0f7e2a6b1d5c3e4f5061728394a5b6c7d8e9f001122334',
  };
}

export const failoverPlan: Plan = planFor(
  'db-failover',
  'The primary database dies and its standby takes over',
  'When the PostgreSQL primary dies, writes resume within 30 s, no acknowledged write is lost, and checkout is back inside its SLO within 60 s.\n',
  failoverStep,
  ['db-a', 'db-b'],
);

export const cpuPlan: Plan = planFor(
  'cpu-full',
  'One checkout service has no CPU left',
  'The load balancer takes traffic away from a checkout service without CPU before users notice.\n',
  cpuStep,
  ['checkout-1'],
);
