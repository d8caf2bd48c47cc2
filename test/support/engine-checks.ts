/** What must be true of every run, whatever happened in it. */
import { expect } from 'vitest';
import type { Ran } from './engine-run.ts';

/** One reason, one rollback, nothing injected after a stop, everything injected was reverted, the end is the end, the world is mended. */
export function expectUndone(ran: Ran): void {
  const { events, story, world, result } = ran;
  const indexOf = (type: string): number => story.indexOf(type);
  const count = (type: string): number => story.filter((seen) => seen === type).length;
  expect([...world.broken]).toEqual([]);
  expect(count('abort.decided')).toBe(ran.control.reason === undefined ? 0 : 1);
  expect(count('rollback.finished')).toBeLessThanOrEqual(1);
  if (indexOf('fault.injecting') >= 0) expect(count('rollback.finished')).toBe(1);
  if (indexOf('abort.decided') >= 0) expect(story.slice(indexOf('abort.decided'))).not.toContain('fault.injecting');
  const steps = (type: 'fault.injecting' | 'fault.reverted'): string[] =>
    events.flatMap((event) => (event.type === type ? [event.step] : []));
  expect(new Set(steps('fault.reverted'))).toEqual(new Set(steps('fault.injecting')));
  expect(result.rollback).toBe('clean');
  expect(events.at(-1)).toMatchObject({ type: 'run.finished', exitCode: result.exitCode });
  expect(world.open.size).toBe(0);
}

/** The probe's samples are good whatever is broken. */
export const healthy = (): boolean => true;

export const failing = async (): Promise<never> => {
  throw new Error('it broke');
};

/** The step ids of all events of one type, in order. */
export function stepsOf(ran: Ran, type: string): string[] {
  return ran.events.flatMap((event) => (event.type === type && 'step' in event ? [event.step] : []));
}

/** Why the run ended as it did. */
export function becauseOf(ran: Ran): string | undefined {
  const event = ran.events.find((candidate) => candidate.type === 'verdict.reached');
  return event?.type === 'verdict.reached' ? event.because : undefined;
}
