/** Experiments with short times: what is tested is what happens, not how long people would wait for it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LabInfo } from '../../src/lab/lab.ts';

export interface ExperimentOptions {
  readonly name: string;
  readonly baseline?: string;
  readonly slos?: readonly string[];
  readonly steps: readonly string[];
  readonly recovery?: string;
  readonly maxDuration?: string;
}

export function experiment({
  name,
  baseline = '3s',
  slos = ['checkout-errors'],
  steps,
  recovery,
  maxDuration = '3m',
}: ExperimentOptions): string {
  return `apiVersion: chaos/v1
kind: Experiment
name: ${name}
title: ${name} with short times
owner: test
hypothesis: The shop goes on.
steadyState:
  baseline: ${baseline}
  slos: [${slos.join(', ')}]
  recovery: ${recovery ?? '{ within: 40s, hold: 2s }'}
method:
${steps.map((step) => `  - ${step}`).join('\n')}
limits: { maxTargets: 1, maxShare: 50%, maxDuration: ${maxDuration} }
`;
}

/** One step that fails the primary over; `parameters` in YAML flow style. */
export function failoverStep(parameters: string, expect = 'writeDowntime: "<= 30s", lostWrites: 0'): string {
  return `{ fault: db-failover, on: { role: db-primary }, with: { engine: postgresql, ${parameters} }, expect: { ${expect} }, expectedImpact: { slos: [checkout-errors], for: 60s } }`;
}

export const killStep =
  '{ fault: process-kill, on: { group: checkout, count: 1 }, with: { pidFile: run/checkout.pid }, expect: { restartedWithin: "<= 10s" } }';

/** The lab's environment with changes, beside the original because paths in it are relative. */
export function environmentLike(lab: LabInfo, name: string, change: (text: string) => string): string {
  const original = readFileSync(lab.environmentFile, 'utf8');
  const changed = change(original);
  if (changed === original) throw new Error('the environment file was not changed: it is written differently now');
  const file = join(dirname(lab.environmentFile), `${name}.yaml`);
  writeFileSync(file, changed);
  return file;
}

/** SLO windows of 3 s: errors are forgotten sooner, so recovery takes less of the test's time. */
export function quickEnvironment(lab: LabInfo): string {
  return environmentLike(lab, 'quick', (text) => text.replaceAll('window: 10s', 'window: 3s'));
}
