/** Plans for engine tests: one or more `fake` faults on real-looking hosts, with timings in tens of milliseconds. */
import type { FaultStep, Operation, Plan, PlannedHost, PlannedSlo, Step } from '../../src/plan/plan.ts';

export function plannedHost(id: string): PlannedHost {
  return {
    id,
    driver: 'ssh',
    address: '127.0.0.1',
    port: 22,
    user: 'shop',
    identityFiles: [],
    agent: false,
    knownHostsFiles: [],
    become: 'none',
    jumps: [],
    groups: ['web'],
    roles: [],
  };
}

export function operation(id: string, changes: Partial<Operation> = {}): Operation {
  return {
    id,
    target: 'web-1',
    stage: 'inject',
    via: 'shell',
    purpose: id,
    text: `${id} @run@`,
    changes: false,
    timeoutMs: 1_000,
    ...changes,
  };
}

export function faultStep(id: string, changes: Partial<FaultStep> = {}): FaultStep {
  const target = changes.targets?.[0] ?? 'web-1';
  return {
    kind: 'fault',
    id,
    fault: 'fake',
    title: `fault ${id}`,
    targets: [target],
    reversibility: 'reversible',
    heals: 'by-revert',
    parameters: {},
    operations: [
      operation('break', { target, changes: true, undo: 'mend', text: `break ${id}` }),
      operation('look', { target, stage: 'verify', text: `look ${id}` }),
      operation('mend', { target, stage: 'revert', changes: true, text: `mend ${id}` }),
    ],
    expectations: [],
    notes: [],
    ...changes,
  };
}

export function waitStep(id: string, forMs: number): Step {
  return { kind: 'wait', id, forMs };
}

/** A plan of these steps. */
export function withSteps(...steps: readonly Step[]): Plan {
  return testPlan({ steps: [...steps] });
}

/** Long enough that only a stop ends it. */
export function longWait(): Step {
  return waitStep('s9', 60_000);
}

/** Fatal when more than a tenth of the probe's samples in its window are bad. The window bridges a stall of a busy machine. */
export function errorSlo(changes: Partial<PlannedSlo> = {}): PlannedSlo {
  return {
    name: 'errors',
    probe: 'shop',
    measure: 'error-rate',
    unit: 'ratio',
    windowMs: 1_000,
    fatal: { operator: '>', value: 0.1, unit: 'ratio', text: '> 10%' },
    ...changes,
  };
}

export function testPlan(changes: Partial<Plan> = {}): Plan {
  return {
    version: 1,
    experiment: {
      name: 'test',
      title: 'Test',
      owner: 'sre',
      tags: [],
      hypothesis: 'The shop stays up.',
      file: 'test.yaml',
      sha256: '0'.repeat(64),
    },
    environment: { name: 'lab', tier: 'lab', file: 'lab.yaml' },
    hosts: [plannedHost('web-1'), plannedHost('web-2')],
    databases: [],
    probes: [{ name: 'shop', kind: 'fake', spec: {} }],
    slos: [errorSlo()],
    steadyState: { baselineMs: 60, recovery: { withinMs: 2_000, holdMs: 40 } },
    steps: [faultStep('s1'), waitStep('s2', 40)],
    limits: { maxTargets: 2, maxShare: 1, maxDurationMs: 10_000 },
    timeouts: { connectMs: 1_000, prepareMs: 1_000, rollbackMs: 2_000 },
    guards: [{ guard: 'target-count', allowed: true, reason: '1 target of at most 2' }],
    hash: '0'.repeat(64),
    ...changes,
  };
}
