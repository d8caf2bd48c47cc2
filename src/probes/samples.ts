/** What can be read from one sample. */
import type { Sample } from './contract.ts';

type Timed = Pick<Sample, 'due' | 'end' | 'own'>;

/** Of a sample, the prober's own part may be this share at most: a timeout of two seconds is one, whatever stood still for 20 ms of it. */
const mostOwnShare = 0.05;

/** As a user sees it, ms: from the intended start. */
export function latencyOf({ due, end }: Timed): number {
  return end - due;
}

/** What of the latency is the target's for certain, ms. */
export function leastLatencyOf(sample: Timed): number {
  return Math.max(0, latencyOf(sample) - (sample.own ?? 0));
}

/** The prober itself stood still for so much of it that neither its latency nor its failure can be blamed on the target. */
export function isDoubtful(sample: Timed): boolean {
  return (sample.own ?? 0) > latencyOf(sample) * mostOwnShare;
}

/** Failed, or slower than `limitMs`, and the target for certain. */
export function isBad(sample: Timed & Pick<Sample, 'ok'>, limitMs: number | undefined): boolean {
  if (!sample.ok) return !isDoubtful(sample);
  return limitMs !== undefined && leastLatencyOf(sample) > limitMs;
}
