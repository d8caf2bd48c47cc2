/** The shell texts of the network faults: what they refuse, that every shell can read them, and that nothing in them can break out. */
import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { faultRegistry } from '../../../src/faults/registry.ts';
import type { FaultStep } from '../../../src/plan/plan.ts';
import { planStep } from '../../support/fault-run.ts';
import { shells } from '../../support/fuse-host.ts';

const own: Readonly<Record<string, JsonObject>> = {
  'network-bandwidth': { rate: '10mbit' },
  'network-corrupt': { percent: 1 },
  'network-delay': { time: '100ms' },
  'network-duplicate': { percent: 1 },
  'network-loss': { percent: 10 },
  'network-partition': {},
  'network-reorder': { percent: 25 },
};
const kinds = Object.keys(own);

function step(kind: string, parameters: JsonObject = {}): Promise<FaultStep> {
  const definition = faultRegistry.get(kind);
  if (definition === undefined) throw new Error(`no fault ${kind}`);
  return planStep(definition, { hosts: [{ id: 'web-1', home: '/' }], targets: ['web-1'], parameters: { ...own[kind], ...parameters } });
}

function text(planned: FaultStep, id: string): string {
  return planned.operations.find((operation) => operation.id === `${id}-web-1`)?.text ?? '';
}

function refusals(kind: string, parameters: JsonObject): readonly string[] {
  const parsed = faultRegistry.get(kind)?.parameters.safeParse({ ...own[kind], ...parameters });
  return parsed?.error?.issues.map(({ message, path }) => `${path.join('.')}: ${message}`) ?? [];
}

describe.each(kinds)('%s', (kind) => {
  it.each(shells.filter(({ path }) => path !== undefined))('is read by $name, in every direction', async ({ name, path = '' }) => {
    for (const direction of ['out', 'in', 'both']) {
      const planned = await step(kind, {
        direction,
        to: ['10.0.0.7', 'fd00::1', 'db.example'],
        protocol: 'tcp',
        ports: [80, 443],
        localPorts: [8080],
      });
      for (const { id, text: script } of planned.operations) {
        const parsed = spawnSync(path, [...(name === 'busybox' ? ['sh'] : []), '-n'], {
          input: script.replaceAll(/@[a-z]+@/g, 'x'),
          encoding: 'utf8',
        });
        expect(`${id} ${direction}: ${parsed.stderr}`).toBe(`${id} ${direction}: `);
      }
    }
  });

  it('never holds up the SSH server nor neighbour discovery', async () => {
    const planned = await step(kind, { direction: 'both' });

    const inject = text(planned, 'inject');
    expect(inject).toMatch(/sport @control@/);
    expect(inject).toMatch(/dport @control@/);
    for (const type of [133, 134, 135, 136]) expect(inject).toContain(String(type));
  });

  it('takes no peer, port or interface that is none', () => {
    for (const peer of ['', 'a b', '$(id)', '10.0.0.1;id', "x'y", '-f', '/etc', '10.0.0.0/24/8', 'ü'])
      expect(refusals(kind, { to: [peer] }), peer).not.toEqual([]);
    for (const name of ['', 'eth0; id', 'a'.repeat(16), '-x', '../x']) expect(refusals(kind, { interface: name }), name).not.toEqual([]);
    for (const ports of [[0], [65_536], [1.5], []]) expect(refusals(kind, { ports, protocol: 'tcp' }), String(ports)).not.toEqual([]);
    for (const to of [['10.0.0.7'], ['10.0.0.0/24'], ['db.example'], ['fd00::/64'], ['::1'], ['fe80::1']])
      expect(refusals(kind, { to }), String(to)).toEqual([]);
  });

  it('wants a protocol with its ports', async () => {
    await expect(step(kind, { ports: [80] })).rejects.toThrow('ports belong to a protocol: add protocol: tcp or protocol: udp (it is any)');
  });
});

it('no text of a person that a schema lets through can end its word', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 1, maxLength: 40 }), async (hostile) => {
      if (refusals('network-delay', { to: [hostile] }).length > 0) return;
      const look = text(await step('network-delay', { to: [hostile] }), 'look');
      const line = look.split('\n').find((candidate) => candidate.startsWith('for peer in ')) ?? '';
      const words = spawnSync('sh', ['-c', `${line} printf '%s|' "$peer"; done`], { encoding: 'utf8' });
      expect(words.stdout).toBe(`${hostile}|`);
    }),
    { numRuns: 200 },
  );
});

it('a delay with correlation or distribution and no jitter is a mistake', async () => {
  await expect(step('network-delay', { correlation: 10 })).rejects.toThrow('correlation is that of the jitter: add jitter');
  await expect(step('network-delay', { distribution: 'normal' })).rejects.toThrow('distribution is that of the jitter: add jitter');
});

it.each([
  [
    'network-delay',
    { time: '100ms', jitter: '20ms', correlation: 25, distribution: 'normal' },
    'netem limit 100000 delay 100ms 20ms 25% distribution normal',
  ],
  ['network-loss', { percent: 12.5, correlation: 50 }, 'netem limit 100000 loss 12.5% 50%'],
  ['network-corrupt', { percent: 2 }, 'netem limit 100000 corrupt 2% 0%'],
  ['network-duplicate', { percent: 3 }, 'netem limit 100000 duplicate 3% 0%'],
  ['network-reorder', { percent: 25, delay: '50ms', gap: 5 }, 'netem limit 100000 delay 50ms reorder 25% 0% gap 5'],
  ['network-bandwidth', { rate: '512kbit', burst: '16kB', latency: 100 }, 'tbf rate 512kbit burst 16384 latency 100ms'],
])('%s says to the kernel what was asked', async (kind, parameters, words) => {
  expect(text(await step(kind, parameters), 'inject')).toContain(words);
});
