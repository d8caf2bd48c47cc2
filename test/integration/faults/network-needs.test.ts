/** What doctor says of the network faults is what their own preflight says: on this machine and on a host of the lab, as root and as anybody. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { milliseconds } from '../../../src/core/units.ts';
import { type Examination, examine } from '../../../src/faults/examine.ts';
import { faultRegistry } from '../../../src/faults/registry.ts';
import { writeStandIns } from '../../../src/lab/network/stand-ins.ts';
import { FaultRun } from '../../support/fault-run.ts';
import { type LocalHost, localSession } from '../../support/local-session.ts';

const parameters: Readonly<Record<string, JsonObject>> = {
  'network-bandwidth': { rate: '1mbit' },
  'network-corrupt': { percent: 1 },
  'network-delay': { time: '100ms', jitter: '10ms' },
  'network-duplicate': { percent: 1 },
  'network-loss': { percent: 10 },
  'network-partition': {},
  'network-reorder': { percent: 25 },
};
const kinds = Object.keys(parameters);
const root = process.getuid?.() === 0;

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'chaos-test-needs-'));
  chmodSync(home, 0o777);
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

/** With the lab's own `tc` and `ip`, or those of this machine. */
function host(where: 'lab' | 'machine', uid?: number): LocalHost {
  const bin = join(home, 'bin');
  mkdirSync(bin);
  if (where === 'lab') writeStandIns(bin, home);
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`, CHAOS_LAB_HOST: 'test' };
  return { id: 'one', home, env, ...(uid === undefined ? {} : { uid }) };
}

async function examined(one: LocalHost): Promise<Examination> {
  await using session = localSession(one);
  return await examine(session, { now: () => Date.now(), timeout: milliseconds(30_000) }, new AbortController().signal);
}

/** Why doctor says that the fault cannot run there; empty when it can. */
function doctorSays(kind: string, { lacks }: Examination): string[] {
  return (faultRegistry.get(kind)?.needs ?? []).flatMap((need) => lacks[need] ?? []);
}

/** Why its preflight refuses; empty when it does not. */
async function preflightSays(kind: string, one: LocalHost, more: JsonObject = {}): Promise<string> {
  const definition = faultRegistry.get(kind);
  if (definition === undefined) throw new Error(`no fault ${kind}`);
  await using fault = new FaultRun(definition, {
    hosts: [one],
    targets: ['one'],
    parameters: { to: ['127.0.0.1'], ...parameters[kind], ...more },
  });
  return await fault.prepare().then(
    () => '',
    (error: Error) => error.message,
  );
}

describe.each([
  ['a host of the lab', 'lab', root ? 65_534 : undefined],
  ['this machine, not as root', 'machine', 65_534],
  ['this machine', 'machine', undefined],
] as const)('%s', (_what, where, uid) => {
  test.runIf(uid === undefined || root)('doctor and preflight say the same of every network fault', async () => {
    const one = host(where, uid);
    const on = where === 'lab' ? {} : { interface: 'lo' };

    const found = await examined(one);
    const said = await Promise.all(kinds.map((kind) => preflightSays(kind, one, on)));

    const refused = kinds.filter((_kind, index) => said[index] !== '');
    expect(refused).toEqual(kinds.filter((kind) => doctorSays(kind, found).length > 0));
    // Where both know why, it is the same sentence.
    for (const [index, kind] of kinds.entries()) {
      const [why] = doctorSays(kind, found);
      if (why !== undefined && kind !== 'network-partition' && why !== 'tc is missing') expect(said[index]).toContain(why);
    }
  });
});

test('a host of the lab delays, loses and slows, and says in its own words what it does not', async () => {
  const one = host('lab', root ? 65_534 : undefined);

  const found = await examined(one);

  const lacking = kinds.filter((kind) => doctorSays(kind, found).length > 0);
  expect(lacking).toEqual(['network-corrupt', 'network-duplicate', 'network-partition', 'network-reorder']);
  expect(found.lacks.corrupt).toBe('tc does not take these parameters here: What is "corrupt"?');
  expect(await preflightSays('network-delay', one, { direction: 'both' })).toContain('tc has no ingress side here: use direction: out');
  expect(await preflightSays('network-delay', one, { distribution: 'normal' })).toContain('No distribution data for normal');
});
