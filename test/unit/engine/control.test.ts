import { expect, it } from 'vitest';
import { type AbortReason, RunAborted } from '../../../src/core/abort.ts';
import { RunControl } from '../../../src/engine/control.ts';

const operator: AbortReason = { kind: 'operator', by: 'SIGINT' };
const deadline: AbortReason = { kind: 'deadline', limitMs: 1 };

it('the first reason wins, and is set before anything hears of it', () => {
  const control = new RunControl();
  const heard: unknown[] = [];
  control.signal.addEventListener('abort', () => heard.push(control.reason, control.signal.reason));

  expect(control.reason).toBeUndefined();
  expect([control.stop(operator), control.stop(deadline)]).toEqual([true, false]);
  expect(control.reason).toBe(operator);
  expect(heard).toEqual([operator, expect.any(RunAborted)]);
  expect(control.signal.reason).toMatchObject({ reason: operator });
});

it('only a stop after the undoing ends the wait for recovery', () => {
  for (const phase of ['prepare', 'baseline', 'method', 'rollback'] as const) {
    const control = new RunControl();
    control.phase = phase;
    control.stop(operator);
    expect(control.skipRecovery.aborted).toBe(false);
    control.phase = 'recovery';
    expect(control.stop(operator)).toBe(false);
    expect(control.skipRecovery.aborted).toBe(true);
    expect(control.reason).toBe(operator);
  }
});
