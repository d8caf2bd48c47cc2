import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { labLinks, labPorts, portCount, portPurpose } from '../../../src/lab/layout.ts';
import { checkPorts, findPorts } from '../../../src/lab/ports.ts';

test('finds blocks below the range that systems hand out to clients', async () => {
  const bases = await Promise.all(Array.from({ length: 20 }, () => findPorts()));

  for (const base of bases) {
    expect(base).toBeGreaterThanOrEqual(20_000);
    expect(base + portCount).toBeLessThan(32_000);
    expect(base % 20).toBe(0);
  }
});

test('names a taken port, what it is for and the way out', async () => {
  const base = await findPorts();
  const blocker = createServer().listen(base + 5, '127.0.0.1');
  await once(blocker, 'listening');

  const attempt = checkPorts(base).finally(() => blocker.close());

  await expect(attempt).rejects.toMatchObject({ code: 'CHAOS_LAB', message: `port ${base + 5} (the shop) is taken` });
});

test.each([0, 80, 32_760, 60_000, 20_000.5, Number.NaN])('refuses the base port %d', async (base) => {
  await expect(checkPorts(base)).rejects.toMatchObject({ code: 'CHAOS_LAB', message: expect.stringContaining('outside 1024–32752') });
});

test('gives every listener of a lab a port of its own and a name', () => {
  const ports = labPorts(20_000);

  const all = [...Object.values(ports.ssh), ports.shop, ...Object.values(ports.checkout), ...Object.values(ports.database)];
  for (const { from, to } of labLinks) all.push(ports.link(`${from}>${to}`));

  expect(all).toEqual(Array.from({ length: portCount }, (_, offset) => 20_000 + offset));
  expect(new Set(all.map((port) => portPurpose(port - 20_000))).size).toBe(portCount);
});
