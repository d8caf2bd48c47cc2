/**
 * Every fault there is, by its name in experiment files. An explicit map: adding a fault is one line here. Importing it costs zod and
 * core only; faults reach targets through the operations they are given and never import a driver.
 */
import { chaosblade } from './chaosblade/index.ts';
import { clockSkew } from './clock-skew/index.ts';
import { command } from './command/index.ts';
import { containerKill } from './container-kill/index.ts';
import { containerPause } from './container-pause/index.ts';
import type { FaultDefinition } from './contract.ts';
import { cpuSaturation } from './cpu-saturation/index.ts';
import { dbFailover } from './db-failover/index.ts';
import { diskFill } from './disk-fill/index.ts';
import { diskIo } from './disk-io/index.ts';
import { dnsFailure } from './dns-failure/index.ts';
import { dnsSpoof } from './dns-spoof/index.ts';
import { hostReboot } from './host-reboot/index.ts';
import { memoryPressure } from './memory-pressure/index.ts';
import { networkBandwidth } from './network-bandwidth/index.ts';
import { networkCorrupt } from './network-corrupt/index.ts';
import { networkDelay } from './network-delay/index.ts';
import { networkDuplicate } from './network-duplicate/index.ts';
import { networkLoss } from './network-loss/index.ts';
import { networkPartition } from './network-partition/index.ts';
import { networkReorder } from './network-reorder/index.ts';
import { processKill } from './process-kill/index.ts';
import { processPause } from './process-pause/index.ts';
import { serviceKill } from './service-kill/index.ts';
import { serviceStop } from './service-stop/index.ts';

export const faultRegistry: ReadonlyMap<string, FaultDefinition> = new Map<string, FaultDefinition>([
  ['chaosblade', chaosblade],
  ['clock-skew', clockSkew],
  ['command', command],
  ['container-kill', containerKill],
  ['container-pause', containerPause],
  ['cpu-saturation', cpuSaturation],
  ['db-failover', dbFailover],
  ['disk-fill', diskFill],
  ['disk-io', diskIo],
  ['dns-failure', dnsFailure],
  ['dns-spoof', dnsSpoof],
  ['host-reboot', hostReboot],
  ['memory-pressure', memoryPressure],
  ['network-bandwidth', networkBandwidth],
  ['network-corrupt', networkCorrupt],
  ['network-delay', networkDelay],
  ['network-duplicate', networkDuplicate],
  ['network-loss', networkLoss],
  ['network-partition', networkPartition],
  ['network-reorder', networkReorder],
  ['process-kill', processKill],
  ['process-pause', processPause],
  ['service-kill', serviceKill],
  ['service-stop', serviceStop],
]);
