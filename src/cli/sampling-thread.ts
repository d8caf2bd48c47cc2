/** The program of the sampling thread: see `startThread`. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../core/clock.ts';
import { sqlConnectorFor } from '../drivers/registry.ts';
import { probeRegistry } from '../probes/registry.ts';
import type { ThreadOrder } from '../probes/sampling/protocol.ts';
import { serveSampling } from '../probes/sampling/serve.ts';

async function serve(): Promise<void> {
  if (parentPort === null) return;
  await serveSampling(
    parentPort,
    { probes: probeRegistry, clock: systemClock, sql: await sqlConnectorFor('postgresql') },
    workerData as ThreadOrder,
  );
}

void serve();
