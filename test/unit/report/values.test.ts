import { describe, expect, test } from 'vitest';
import { foldRun } from '../../../src/journal/fold.ts';
import { limitsOf, stampsOf } from '../../../src/journal/fold-facts.ts';
import type { RunState } from '../../../src/journal/fold-state.ts';
import type { Plan, PlannedSlo } from '../../../src/plan/plan.ts';
import { renderReport } from '../../../src/report/markdown.ts';
import { JournalBuilder } from '../../support/journal-builder.ts';
import { failoverPlan } from '../../support/journal-plan.ts';

const slo: PlannedSlo = {
  name: 'replicas-up',
  probe: 'replicas',
  measure: 'value',
  unit: 'count',
  windowMs: 10_000,
  severe: { operator: '<', value: 2, unit: 'count', text: '< 2' },
};
const plan: Plan = { ...failoverPlan, probes: [{ name: 'replicas', kind: 'prometheus', spec: {} }], slos: [slo] };

/** Three replicas, one and a half of them from 12 s on; the fault is injected at 10 s. */
function run(): RunState {
  const value = (t: number): number => (t < 12_000 ? 3 : 1.5);
  return foldRun(
    new JournalBuilder()
      .at(0, { type: 'run.started', run: 'r1', plan, version: '0.1.0', operator: 'mira', machine: 'ops-laptop', pid: 1 })
      .phase(1, 'method')
      .at(10_000, { type: 'fault.injecting', step: 's1', undo: {} })
      .samples('replicas', [0, 20_000], 1_000, (due) => ({ value: value(due) }))
      .slo('replicas-up', [0, 20_000], value, 100)
      .build(),
  );
}

describe('a report about values', () => {
  test('says in plain numbers what was read, before and after', () => {
    const { markdown, files } = renderReport(run());

    expect(markdown).toContain('| `replicas` | 3 | 1.50 to 3 | 8 (< 2) |');
    expect(markdown).toContain('value of probe `replicas` over 10 s; severe < 2.');
    expect(files[0]?.content).toMatch(/>3<\/text>/);
    expect(markdown).not.toMatch(/NaN|undefined/);
  });

  test('counts the first value that an SLO calls bad as the first bad sample', () => {
    expect(limitsOf(plan, 'replicas')).toEqual({ slowMs: undefined, values: [slo.severe] });
    expect(stampsOf(run()).t2).toBeGreaterThan(12_000);
    expect(stampsOf(run()).t2).toBeLessThan(12_100);
  });
});
