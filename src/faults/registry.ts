/**
 * Every fault there is, by its name in experiment files. An explicit map: adding a fault is one line here. Importing it costs zod and
 * core only; faults reach targets through the operations they are given and never import a driver.
 */
import { command } from './command/index.ts';
import type { FaultDefinition } from './contract.ts';
import { cpuSaturation } from './cpu-saturation/index.ts';
import { dbFailover } from './db-failover/index.ts';
import { processKill } from './process-kill/index.ts';

export const faultRegistry: ReadonlyMap<string, FaultDefinition> = new Map<string, FaultDefinition>([
  ['command', command],
  ['cpu-saturation', cpuSaturation],
  ['db-failover', dbFailover],
  ['process-kill', processKill],
]);
