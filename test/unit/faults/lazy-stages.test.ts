import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import type { FaultContext } from '../../../src/faults/contract.ts';
import { type FaultStages, lazyStages } from '../../../src/faults/lazy-stages.ts';
import { faultRegistry } from '../../../src/faults/registry.ts';

// Only handed through.
const context = {} as FaultContext;

function recorder(): { readonly stages: FaultStages; readonly calls: unknown[][] } {
  const calls: unknown[][] = [];
  const note =
    <T>(name: string, answer: T) =>
    async (...given: readonly unknown[]): Promise<T> => {
      calls.push([name, ...given]);
      return answer;
    };
  const stages: FaultStages = {
    prepare: note('prepare', { kept: 1 }),
    inject: note('inject', undefined),
    verify: note('verify', { effective: true, evidence: [] }),
    revert: note('revert', undefined),
    verifyReverted: note('verifyReverted', { clean: true, evidence: [], findings: [] }),
  };
  return { stages, calls };
}

test('loads nothing until a stage is called', async () => {
  const load = vi.fn(async () => recorder().stages);

  const stages = lazyStages(load);

  expect(load).not.toHaveBeenCalled();
  await stages.prepare(context);
  expect(load).toHaveBeenCalled();
});

test('hands every stage its arguments and gives back its answer', async () => {
  const { stages, calls } = recorder();
  const lazy = lazyStages(async () => stages);
  const undo = { kept: 1 };
  const seen = new Map([['web', ['gone']]]);

  const answers = [
    await lazy.prepare(context),
    await lazy.inject(context, undo),
    await lazy.verify(context, undo),
    await lazy.revert(context, undo),
    await lazy.verifyReverted(context, undo, seen),
  ];

  expect(calls).toEqual([
    ['prepare', context],
    ['inject', context, undo],
    ['verify', context, undo],
    ['revert', context, undo],
    ['verifyReverted', context, undo, seen],
  ]);
  expect(answers).toEqual([undo, undefined, { effective: true, evidence: [] }, undefined, { clean: true, evidence: [], findings: [] }]);
});

test('a fault loads its stages by one import: what undoes it is there as soon as it was prepared', () => {
  for (const kind of faultRegistry.keys()) {
    const text = readFileSync(new URL(`../../../src/faults/${kind}/index.ts`, import.meta.url), 'utf8');

    // The plan is made, and its code loaded, before anything is prepared; what it made is data.
    const later = text.match(/\bimport\((?!'\.\/(?:\w+\/)?(?:plan|scripts)\.ts')/g) ?? [];
    expect(later.length, kind).toBeLessThanOrEqual(1);
  }
});
