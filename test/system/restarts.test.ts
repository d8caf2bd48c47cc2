/** Faults after which something has to come back by itself, on real hosts: a service, a container, a host. */
import { describe, expect, test, vi } from 'vitest';
import { installBlade } from '../support/blade.ts';
import { askBox, startBox } from './boxes.ts';
import { bed, useBed } from './testbed/bed.ts';
import { expectClean } from './testbed/clean.ts';

const unavailable = useBed({ uml: 2, ns: 1 });

const run = (name: string) => bed.chaos('run', name, '--env', 'bed', '--yes');

describe.skipIf(unavailable !== undefined)('a killed service', () => {
  test('comes back by Restart=, and how long that took is measured', { timeout: 60_000 }, async () => {
    bed.experiment('service-kill', 'service-kill', { host: 'n1' }, { unit: 'demo.service' }, 'none');
    const { code, out } = await bed.chaos('run', 'service-kill', '--env', 'bed', '--yes').finished;

    expect(code, out).toBe(0);
    expect(Number(/is active again as process \d+ after (\d+) ms/.exec(out)?.[1])).toBeGreaterThanOrEqual(200);
    expect(await bed.serves('n1')).toBe(true);
    await expectClean(bed, 'n1');
  });

  test.each([
    [{ unit: 'no-such-thing' }, 'no-such-thing.service is not-found here'],
    [{ unit: 'ssh' }, "ssh.service carries the runner's own way in"],
  ])('that cannot be given back is refused: %j', { timeout: 60_000 }, async (parameters, why) => {
    bed.experiment('refused', 'service-stop', { host: 'n1' }, parameters);
    const { code, out } = await bed.chaos('run', 'refused', '--env', 'bed', '--yes').finished;

    expect(code, out).toBe(3);
    expect(out).toContain(why);
  });
});

describe.skipIf(unavailable !== undefined).each(['podman', 'docker'] as const)('a container of %s that is killed', (tool) => {
  const state = async (): Promise<string> => (await bed.ssh('h1', askBox(tool, `${tool}-box`))).out.trim();

  test('comes back by its restart policy, and how long that took is measured', { timeout: 60_000 }, async () => {
    expect(await bed.ssh('h1', startBox(tool, `${tool}-box`, 'always'))).toMatchObject({ code: 0 });
    const before = await state();
    bed.experiment('container-kill', 'container-kill', { host: 'h1' }, { container: `${tool}-box` }, 'none');
    const { code, out } = await run('container-kill').finished;

    expect(code, out).toBe(0);
    expect(Number(/it runs again as process \d+ after (\d+) ms/.exec(out)?.[1])).toBeGreaterThan(0);
    const after = await state();
    expect(after).toMatch(/^running /);
    expect(after).not.toBe(before);
    await expectClean(bed, 'h1');
  });

  test('is refused where nothing would bring it back', { timeout: 60_000 }, async () => {
    await bed.ssh('h1', startBox(tool, `${tool}-once`));
    bed.experiment('refused', 'container-kill', { host: 'h1' }, { container: `${tool}-once` }, 'none');
    const { code, out } = await run('refused').finished;

    expect(code, out).toBe(3);
    expect(out).toContain('its restart policy is no');
  });
});

describe.skipIf(unavailable !== undefined)('a restarted host', () => {
  test.each(['orderly', 'hard'])('%s: is waited for, and how long that took is measured', { timeout: 120_000 }, async (how) => {
    bed.experiment(how, 'host-reboot', { host: 'h2' }, { how, backWithin: '60s' }, 'none');
    const runner = run(how);
    await runner.until(/shell reboot-h2/);
    await bed.switchedOff('h2');
    await bed.powerOn('h2');
    const { code, out } = await runner.finished;

    expect(code, out).toBe(0);
    expect(out).toMatch(/h2: restarted and can be logged in to \d/);
  });

  test('that does not come back is no success, and recover tells when it has', { timeout: 180_000 }, async () => {
    bed.experiment('away', 'host-reboot', { host: 'h2' }, { how: 'hard', backWithin: '10s' }, 'none');
    const runner = run('away');
    await runner.until(/shell reboot-h2/);
    const { code, out } = await runner.finished;
    const id = /run (\w{6}) of/.exec(out)?.[1] ?? '';
    await bed.powerOn('h2');
    const recovered = await bed.chaos('recover', id).finished;

    expect(code, out).toBe(6);
    expect(out).toContain('h2: cannot be logged in to');
    expect(recovered.out).toContain('rollback   clean');
  });

  test('that is the machine of the runner, or a container, is refused', { timeout: 60_000 }, async () => {
    bed.experiment('own', 'host-reboot', { host: 'n1' }, {}, 'none');
    const { code, out } = await run('own').finished;

    expect(code, out).toBe(3);
    expect(out).toContain('this is a container');
  });
});

describe.skipIf(unavailable !== undefined)('a power failure while a fault is in effect', () => {
  test.each([
    ['service-stop', { unit: 'demo-once' }, 'systemctl is-active demo-once', 'active\n'],
    ['disk-fill', { path: '/srv', size: '20MB' }, 'ls /srv | grep -c chaos', '0\n'],
    // Its program is gone then, which blade will not destroy.
    ['chaosblade', { create: ['cpu', 'fullload'] }, 'ls /opt/chaosblade/blade.d/records | grep -c .', '0\n'],
  ])('%s is reverted by the target itself when it starts again', { timeout: 120_000 }, async (fault, parameters, look, well) => {
    if (fault === 'chaosblade') expect(await bed.ssh('h2', installBlade)).toMatchObject({ code: 0 });
    bed.experiment('power', fault, { host: 'h2' }, parameters, '60s');
    const runner = bed.chaos('run', 'power', '--env', 'bed', '--yes');
    await runner.until(/is in effect/);
    const id = /run (\w{6}) of/.exec(runner.said())?.[1] ?? '';
    const during = await bed.ssh('h2', look);
    runner.child.kill('SIGKILL');
    await bed.powerFail('h2');
    await bed.powerOn('h2');

    await vi.waitFor(async () => expect((await bed.ssh('h2', look)).out).toBe(well), { timeout: 20_000, interval: 500 });
    const told = await bed.ssh('h2', `cat /var/lib/chaos/${id}-s1.1/reason`);
    const recovered = await bed.chaos('recover', id).finished;

    expect(during.out).not.toBe(well);
    expect(told.out).toBe('the machine was restarted\n');
    expect(recovered.out).toContain('rollback   clean');
    await expectClean(bed, 'h2');
  });
});
