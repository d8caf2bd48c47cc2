/** Journals as the engine writes them, without an engine: fixed times, so that what is made from them can be compared byte for byte. */
import type { EventBody, JournalEvent, Phase } from '../../src/journal/events.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Sample } from '../../src/probes/contract.ts';
import { cpuPlan, failoverPlan } from './journal-plan.ts';

export class JournalBuilder {
  readonly #events: { readonly t: number; readonly body: EventBody }[] = [];
  readonly #epoch = Date.parse('2026-03-10T09:00:00.000Z');

  at(t: number, ...bodies: readonly EventBody[]): this {
    for (const body of bodies) this.#events.push({ t, body });
    return this;
  }

  phase(t: number, phase: Phase): this {
    return this.at(t, { type: 'phase.entered', phase });
  }

  /** Samples of `probe` each `every` ms; `make` says how each went. They reach the journal in batches of a second. */
  samples(
    probe: string,
    span: readonly [from: number, to: number],
    every: number,
    make: (due: number, index: number) => Partial<Sample>,
  ): this {
    const batches = new Map<number, Sample[]>();
    for (let due = span[0], index = 0; due < span[1]; due += every, index++) {
      const sample: Sample = { due, sent: due + 1, end: due + 40 + ((index * 7) % 23), ok: true, ...make(due, index) };
      const flush = Math.ceil((sample.end + 1) / 1_000) * 1_000;
      const batch = batches.get(flush) ?? [];
      batch.push(sample);
      batches.set(flush, batch);
    }
    for (const [flush, samples] of batches) this.at(Math.min(flush, span[1] + 1_000), { type: 'probe.sampled', probe, samples });
    return this;
  }

  /** Values of `slo` twice a second. */
  slo(slo: string, span: readonly [from: number, to: number], value: (t: number) => number | undefined, fatal: number): this {
    for (let t = span[0]; t <= span[1]; t += 500) {
      const now = value(t);
      const level = now === undefined ? 'no-data' : now > fatal ? 'fatal' : 'ok';
      this.at(t, { type: 'slo.measured', slo, samples: 100, level, ...(now === undefined ? {} : { value: now }) });
    }
    return this;
  }

  build(): JournalEvent[] {
    return this.#events
      .toSorted((a, b) => a.t - b.t)
      .map(({ t, body }, seq) => ({ seq, at: new Date(this.#epoch + t).toISOString(), t, ...body }));
  }
}

const undo = { timeline: 1, primary: 'db-a', standby: 'db-b', kept: '/var/lib/pg/a.before' };

function opening(journal: JournalBuilder, plan: Plan, run: string): JournalBuilder {
  journal
    .at(0, { type: 'run.started', run, plan, version: '0.1.0', operator: 'mira', machine: 'ops-laptop', pid: 4_242 })
    .phase(1, 'prepare')
    .at(2, ...plan.guards.map((answer): EventBody => ({ type: 'guard.answered', answer })));
  plan.hosts.forEach((host, index) => {
    journal.at(40 + index * 12, { type: 'target.connected', target: host.id, ms: 38 + index * 12 });
  });
  return journal
    .at(200, { type: 'fault.prepared', step: 's1', undo })
    .phase(220, 'baseline')
    .at(221, { type: 'probe.started', probe: 'checkout' }, { type: 'probe.started', probe: 'orders-ledger' })
    .at(10_215, {
      type: 'abort.calibrated',
      rules: [
        { slo: 'checkout-errors', probe: 'checkout', bad: 8, falseAborts: 0.004 },
        { slo: 'checkout-latency', probe: 'checkout', limitMs: 900, bad: 11, falseAborts: 0.0005 },
      ].map((rule) => ({ ...rule, of: 100, consecutive: 3, baseline: { samples: 80, bad: 0 }, planned: 200 })),
    })
    .at(10_220, { type: 'baseline.held', ms: 10_000 })
    .phase(10_221, 'method');
}

/** Injection at 10.3 s up to `verified` at 14.6 s. */
function failover(journal: JournalBuilder): JournalBuilder {
  const [, crash, promote] = operationsOf(failoverPlan);
  return journal
    .at(10_290, ...failoverPlan.guards.slice(0, 1).map((answer): EventBody => ({ type: 'guard.answered', answer })))
    .at(10_300, { type: 'fault.injecting', step: 's1', undo })
    .at(10_310, running(crash))
    .at(10_480, { type: 'operation.finished', step: 's1', operation: 'crash', ok: true, ms: 170, detail: '' })
    .at(10_500, { type: 'fault.marked', step: 's1', mark: 'crashed', data: {}, pointOfNoReturn: false })
    .at(12_900, { type: 'fault.marked', step: 's1', mark: 'promoting', data: { lsn: '0/3000148' }, pointOfNoReturn: true })
    .at(12_910, running(promote))
    .at(14_300, { type: 'operation.finished', step: 's1', operation: 'promote', ok: true, ms: 1_390, detail: '[{"pg_promote":true}]' })
    .at(14_320, { type: 'fault.injected', step: 's1' })
    .at(14_600, {
      type: 'fault.verified',
      step: 's1',
      effective: true,
      evidence: ['db-b takes writes on timeline 2', 'db-a does not answer on 127.0.0.1:20101'],
      measures: { promotionTime: 3_800 },
    });
}

/** From the rollback at `from` to a clean end of it six seconds later. */
function rebuild(journal: JournalBuilder, from: number): JournalBuilder {
  const [, , , , copy, start] = operationsOf(failoverPlan);
  return journal
    .phase(from, 'rollback')
    .at(from + 5, { type: 'fault.reverting', step: 's1' })
    .at(from + 10, running(copy))
    .at(from + 3_900, { type: 'operation.finished', step: 's1', operation: 'rebuild', ok: true, ms: 3_890, detail: '' })
    .at(from + 3_910, running(start))
    .at(from + 5_200, { type: 'operation.finished', step: 's1', operation: 'start-standby', ok: true, ms: 1_290, detail: 'server started' })
    .at(from + 6_000, {
      type: 'fault.reverted',
      step: 's1',
      clean: true,
      evidence: [
        'db-b is the only primary (timeline 2)',
        'db-a streams from db-b, 0 bytes behind',
        'a row written on db-b was read on db-a',
      ],
      findings: ['the old data folder of db-a is kept at /var/lib/pg/a.before'],
      measures: {},
    })
    .at(from + 6_010, { type: 'rollback.finished', state: 'clean' });
}

function running(operation: ReturnType<typeof operationsOf>[number] | undefined): EventBody {
  if (operation === undefined) throw new Error('no such operation in the plan');
  const { id, target, via, text, changes } = operation;
  return { type: 'operation.running', step: 's1', operation: id, target, via, text, changes };
}

function operationsOf(plan: Plan) {
  const [step] = plan.steps;
  return step?.kind === 'fault' ? step.operations : [];
}

/** Checkout fails from the crash until `back`; the ledger likewise. */
function outage(journal: JournalBuilder, back: number, end: number): JournalBuilder {
  const out = (due: number): boolean => due >= 10_320 && due < back;
  const rate = (t: number): number => {
    const bad = Math.max(0, Math.min(t, back) - Math.max(10_320, t - 10_000));
    return t < 10_320 ? 0 : Math.round((Math.min(bad, 10_000) / 10_000) * 1_000) / 1_000;
  };
  return journal
    .samples('checkout', [300, end], 100, (due) => (out(due) ? { ok: false, end: due + 210, error: 'status 503' } : {}))
    .samples('orders-ledger', [300, end], 200, (due, seq) =>
      out(due) ? { ok: false, end: due + 150, error: 'ECONNREFUSED', seq, node: 'db-a' } : { seq, node: due < back ? 'db-a' : 'db-b' },
    )
    .slo('checkout-errors', [2_500, end], rate, 0.05)
    .slo('checkout-latency', [2_500, end], (t) => 62 + (rate(t) > 0 ? 148 : 0) + (t % 1_500) / 100, 900);
}

function clauses(lost: number): EventBody & { type: 'verdict.reached' } {
  const held = lost === 0;
  return {
    type: 'verdict.reached',
    outcome: 'completed',
    verdict: held ? 'held' : 'refuted',
    rollback: 'clean',
    because: held ? 'every clause of the hypothesis held' : `lostWrites: ${lost} instead of == 0`,
    clauses: [
      { kind: 'expect', name: 'promotionTime', expected: '<= 10s', observed: '3.8 s', result: 'held' },
      { kind: 'expect', name: 'writeDowntime', expected: '<= 30s', observed: '4.2 s', result: 'held', samples: 295 },
      { kind: 'expect', name: 'lostWrites', expected: '== 0', observed: String(lost), result: held ? 'held' : 'refuted', samples: 295 },
      { kind: 'recovery', name: 'recovery', expected: 'within 60 s, held for 10 s', observed: 'after 14.2 s', result: 'held' },
    ],
  };
}

function failoverToTheEnd(run: string, lost: number): JournalEvent[] {
  const journal = outage(rebuild(failover(opening(new JournalBuilder(), failoverPlan, run)), 34_700), 14_500, 59_000)
    .at(11_000, {
      type: 'slo.breached',
      slo: 'checkout-errors',
      level: 'fatal',
      value: 0.068,
      threshold: '> 5%',
      samples: 100,
      expected: true,
    })
    .at(14_650, { type: 'step.waiting', step: 's2', forMs: 20_000 })
    .at(24_100, { type: 'slo.cleared', slo: 'checkout-errors', value: 0.042 })
    .phase(40_720, 'recovery')
    .at(50_800, { type: 'recovery.held', sinceMs: 14_200 })
    .at(59_200, {
      type: 'ledger.settled',
      result: {
        probe: 'orders-ledger',
        survivor: 'db-b',
        writes: 294,
        durable: 272 - lost,
        lost,
        indeterminate: 1,
        rejected: 21,
        longestGap: { from: 10_302, ms: 4_210 },
        ...(lost === 0 ? {} : { lostWindow: { from: 9_900, to: 10_300 } }),
      },
    })
    .phase(59_210, 'verdict')
    .at(59_220, clauses(lost))
    .at(59_230, { type: 'run.finished', exitCode: lost === 0 ? 0 : 5 });
  return journal.build();
}

export function heldFailover(): JournalEvent[] {
  return failoverToTheEnd('k3f9qz', 0);
}

export function lostWrites(): JournalEvent[] {
  return failoverToTheEnd('m2x7ab', 3);
}

/** A CPU fault that makes checkout slow until the latency SLO stops the run. */
export function abortedBySlo(): JournalEvent[] {
  const [burn, stop] = operationsOf(cpuPlan);
  const slow = (t: number): boolean => t > 10_400 && t < 15_600;
  const latency = (t: number): number => (t < 10_400 ? 60 : t < 15_600 ? 60 + (t - 10_400) / 5 : Math.max(61, 1_100 - (t - 15_600) / 6));
  return opening(new JournalBuilder(), cpuPlan, 'c5d2wq')
    .at(10_300, { type: 'fault.injecting', step: 's1', undo: { group: 4_711 } })
    .at(10_310, running(burn))
    .at(
      10_390,
      { type: 'operation.finished', step: 's1', operation: 'burn', ok: true, ms: 80, detail: '' },
      { type: 'fault.injected', step: 's1' },
    )
    .at(11_000, { type: 'fault.verified', step: 's1', effective: true, evidence: ['load of 2 CPUs is 99 %'], measures: {} })
    .samples('checkout', [300, 33_000], 100, (due) => (slow(due) ? { end: due + Math.round(latency(due)) } : {}))
    .samples('orders-ledger', [300, 33_000], 200, (_due, seq) => ({ seq, node: 'db-a' }))
    .slo('checkout-errors', [2_500, 33_000], () => 0, 0.05)
    .slo('checkout-latency', [2_500, 33_000], latency, 900)
    .at(13_000, {
      type: 'slo.breached',
      slo: 'checkout-latency',
      level: 'severe',
      value: 580,
      threshold: '> 500ms',
      samples: 100,
      expected: false,
    })
    .at(15_000, {
      type: 'slo.breached',
      slo: 'checkout-latency',
      level: 'fatal',
      value: 980,
      threshold: '> 900ms',
      samples: 100,
      expected: false,
    })
    .phase(15_010, 'rollback')
    .at(15_012, {
      type: 'abort.decided',
      reason: { kind: 'slo', slo: 'checkout-latency', value: 980, unit: 'duration', threshold: '> 900ms', samples: 100 },
    })
    .at(15_015, { type: 'fault.reverting', step: 's1' })
    .at(15_020, running(stop))
    .at(15_200, { type: 'operation.finished', step: 's1', operation: 'stop', ok: true, ms: 180, detail: '' })
    .at(15_400, {
      type: 'fault.reverted',
      step: 's1',
      clean: true,
      evidence: ['no process of group 4711 is left'],
      findings: [],
      measures: {},
    })
    .at(15_410, { type: 'rollback.finished', state: 'clean' })
    .phase(15_415, 'recovery')
    .at(19_600, { type: 'slo.cleared', slo: 'checkout-latency', value: 430 })
    .at(29_700, { type: 'recovery.held', sinceMs: 4_200 })
    .at(33_100, {
      type: 'ledger.settled',
      result: {
        probe: 'orders-ledger',
        survivor: 'db-a',
        writes: 164,
        durable: 164,
        lost: 0,
        indeterminate: 0,
        rejected: 0,
        longestGap: { from: 4_100, ms: 220 },
      },
    })
    .phase(33_110, 'verdict')
    .at(33_120, {
      type: 'verdict.reached',
      outcome: 'aborted',
      verdict: 'refuted',
      rollback: 'clean',
      because: 'SLO checkout-latency reached its fatal level: 980 ms (limit > 900ms, 100 samples)',
      clauses: [{ kind: 'slo', name: 'checkout-latency', expected: 'never > 900ms', observed: '980 ms', result: 'refuted', samples: 100 }],
    })
    .at(33_130, { type: 'run.finished', exitCode: 5 })
    .build();
}

/** The old primary cannot be rebuilt: its host is gone, and it says so with control characters and markup. */
export function rollbackIncomplete(): JournalEvent[] {
  const hostile =
    'tar: \u001b[31mno space\u001b[0m | <img src=x onerror=alert(1)> `rm -rf`\n<!-- chaos:end verdict -->\r\n# Everything is fine';
  return outage(failover(opening(new JournalBuilder(), failoverPlan, 'x7p4nn')), 14_500, 50_000)
    .at(11_000, {
      type: 'slo.breached',
      slo: 'checkout-errors',
      level: 'fatal',
      value: 0.068,
      threshold: '> 5%',
      samples: 100,
      expected: true,
    })
    .at(14_650, { type: 'step.waiting', step: 's2', forMs: 20_000 })
    .phase(34_700, 'rollback')
    .at(34_705, { type: 'fault.reverting', step: 's1' })
    .at(34_710, running(operationsOf(failoverPlan)[4]))
    .at(36_000, { type: 'operation.finished', step: 's1', operation: 'rebuild', ok: false, ms: 1_290, detail: hostile })
    .at(36_001, { type: 'fault.revert-failed', step: 's1', detail: hostile })
    .at(36_400, { type: 'target.lost', target: 'db-a', detail: 'keepalive timeout' })
    .at(38_000, { type: 'fault.revert-failed', step: 's1', detail: 'connection to db-a lost' })
    .at(39_000, {
      type: 'fault.reverted',
      step: 's1',
      clean: false,
      evidence: ['db-a: no PostgreSQL runs there', hostile],
      findings: ['db-b has no standby'],
      measures: {},
    })
    .at(39_010, { type: 'rollback.finished', state: 'incomplete' })
    .phase(39_020, 'recovery')
    .at(49_100, { type: 'recovery.held', sinceMs: 14_200 })
    .at(50_100, { type: 'ledger.unknown', probe: 'orders-ledger', detail: 'no survivor could be read' })
    .phase(50_110, 'verdict')
    .at(50_120, {
      type: 'verdict.reached',
      outcome: 'completed',
      verdict: 'inconclusive',
      rollback: 'incomplete',
      because: 'what became of the writes is unknown',
      clauses: [
        { kind: 'expect', name: 'promotionTime', expected: '<= 10s', observed: '3.8 s', result: 'held' },
        { kind: 'expect', name: 'lostWrites', expected: '== 0', observed: 'unknown', result: 'unknown' },
      ],
    })
    .at(50_130, { type: 'run.finished', exitCode: 6 })
    .build();
}

/** The runner is killed right after the point of no return. */
export function crashedRunner(): JournalEvent[] {
  const all = outage(failover(opening(new JournalBuilder(), failoverPlan, 'q4r6st')), 14_500, 14_000).build();
  const last = all.findIndex((event) => event.t > 12_910);
  return all.slice(0, last);
}

/** The same, with another process that finished the work ten minutes later. */
export function recoveredRun(): JournalEvent[] {
  const died = crashedRunner();
  const later = rebuild(new JournalBuilder().at(612_000, { type: 'recover.started', pid: 5_151, operator: 'jon' }), 612_100)
    .build()
    .filter((event) => event.type !== 'phase.entered');
  return [...died, ...later.map((event, index) => ({ ...event, seq: died.length + index }))];
}

export const scenarios = {
  'held-failover': heldFailover,
  'lost-writes': lostWrites,
  'aborted-by-slo': abortedBySlo,
  'rollback-incomplete': rollbackIncomplete,
  'crashed-runner': crashedRunner,
  'recovered-run': recoveredRun,
} as const;
