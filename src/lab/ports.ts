/**
 * Ports 20000–31999: below the range systems hand out to clients. A client that keeps retrying a closed port *inside* that range can
 * connect to itself on loopback and would take a dead server for a living one.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { ChaosError } from '../core/errors.ts';
import { loopback, portCount, portPurpose } from './layout.ts';

const first = 20_000;
const last = 31_999;
/** Blocks start at multiples of this, so two labs either share a whole block or nothing. */
const blockSize = 20;

/** Rejects with `CHAOS_LAB` when a port of the block that starts at `base` is taken. */
export async function checkPorts(base: number): Promise<void> {
  if (!Number.isInteger(base) || base < 1024 || base + portCount - 1 > 32_767) {
    throw new ChaosError('CHAOS_LAB', `base port ${base} is outside 1024–${32_768 - portCount}`, {
      hint: `choose one there, for example ${first}, or leave it out: ports above 32767 are handed out to clients`,
    });
  }
  for (let offset = 0; offset < portCount; offset++) {
    if (await isFree(base + offset)) continue;
    throw new ChaosError('CHAOS_LAB', `port ${base + offset} (${portPurpose(offset)}) is taken`, {
      target: `${loopback}:${base + offset}`,
      hint: `choose another base port (${portCount} free ports in a row are needed), or leave it out and free ones are found`,
    });
  }
}

/** The start of a block whose ports are free now. Rejects with `CHAOS_LAB` when none of 50 is. */
export async function findPorts(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const base = first + blockSize * randomInt((last + 1 - first) / blockSize);
    try {
      await checkPorts(base);
      return base;
    } catch (error) {
      if (!(error instanceof ChaosError)) throw error;
    }
  }
  throw new ChaosError('CHAOS_LAB', `no ${portCount} free ports in a row between ${first} and ${last} on ${loopback}`, {
    hint: 'see what holds them with `ss -tlnp`, or choose a base port yourself',
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: loopback, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
