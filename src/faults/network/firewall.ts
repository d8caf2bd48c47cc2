/** What both firewalls are asked to do. */
import type { Traffic } from './schema.ts';

export interface FirewallTraffic extends Traffic {
  readonly how: 'drop' | 'reject';
}

export interface FirewallTexts {
  readonly inject: string;
  /** Defines the shell function `packets`: how many were stopped. */
  readonly packets: string;
  readonly undo: string;
  readonly check: string;
}
