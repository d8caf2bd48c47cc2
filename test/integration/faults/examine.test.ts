/** What doctor asks of a host, on this machine, in all shells that hosts may have. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shellQuote } from '../../../src/core/text.ts';
import { milliseconds } from '../../../src/core/units.ts';
import type { HostSession } from '../../../src/drivers/contract.ts';
import { examine } from '../../../src/faults/examine.ts';
import { shells } from '../../support/fuse-host.ts';
import { localSession } from '../../support/local-session.ts';

const never = new AbortController().signal;
const options = { now: () => Date.now(), timeout: milliseconds(30_000) };

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'chaos-test-examine-'));
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

describe.each(shells.filter(({ path }) => path !== undefined))('in $name', ({ name, path = '' }) => {
  test('it knows this machine and changes nothing', async () => {
    await using local = localSession({ id: 'one', home });
    const shell = name === 'busybox' ? `${path} sh` : path;
    const session: HostSession = {
      ...local,
      run: (request, signal) => local.run({ ...request, command: `exec ${shell} -c ${shellQuote(request.command)}` }, signal),
    };

    const found = await examine(session, options, never);

    expect(found.root).toBe(process.getuid?.() === 0);
    expect(found.kernel).toMatch(/^(Linux|Darwin) \d/);
    expect(Math.abs(found.clock.offsetMs)).toBeLessThanOrEqual(found.clock.withinMs + 50);
    expect(found.freeBytes).toBeGreaterThan(0);
    expect(found.lacks.blade).toBe('it is not installed');
    expect(found.lacks.fuse).toBeUndefined();
  });
});

test('what it lacks is told', async () => {
  await using session = localSession({ id: 'one', home, env: { PATH: '/usr/bin:/bin' } });

  const { lacks, untold } = await examine(session, options, never);

  for (const why of Object.values(lacks)) expect(why).toMatch(/\w{3}/);
  expect(untold.every((need) => ['netem', 'tbf', 'firewall'].includes(need))).toBe(true);
});
