/** `container-pause` with a stand-in for docker that says what newer ones and badly configured ones say. test/system has the real ones. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { containerPause } from '../../../src/faults/container-pause/index.ts';
import { ConfinedHost, unconfined } from '../../support/confined-host.ts';
import { FaultRun } from '../../support/fault-run.ts';

if (unconfined !== undefined) console.warn(`skipped: container-pause: ${unconfined}`);

const id = '7e44a76685f49bdf4d6bfeec71c6df0f39d7c4fcc25f9a4e95d6f6f99650606a';

/** Its one container is in the state that the file `state` holds; without the file `socket` nobody answers. A warning comes first, as with a bad config.json. */
const docker = `#!/bin/sh
fail() { echo "$1" >&2; exit 1; }
echo 'WARNING: Error loading config file: /root/.docker/config.json: unexpected EOF' >&2
[ -e "$HOME/socket" ] ||
  fail 'failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory'
[ -e "$HOME/state" ] || fail 'Error response from daemon: No such container: box'
case $1 in
  container) echo "${id} $(cat "$HOME/state") 4321 always" ;;
  pause) echo paused >"$HOME/state" ;;
  unpause) echo running >"$HOME/state" ;;
esac
`;

async function start(): Promise<ConfinedHost> {
  const place = await ConfinedHost.start({ stubs: { docker } });
  for (const name of ['socket', 'state']) writeFileSync(join(place.home, name), 'running\n');
  return place;
}

const state = (place: ConfinedHost): string | undefined => {
  const file = join(place.home, 'state');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
};

const run = (place: ConfinedHost): FaultRun =>
  new FaultRun(place.confine(containerPause), {
    hosts: [place.host],
    targets: ['web-1'],
    parameters: { container: 'box', tool: 'docker' },
  });

describe.skipIf(unconfined !== undefined)('container-pause', () => {
  test('is not misled by what the command warns of, when it pauses or when it undoes', async () => {
    using place = await start();
    await using fault = run(place);

    await fault.prepare();
    await fault.inject();
    const effect = await fault.verify();
    const during = state(place);
    await fault.revert();

    expect(effect).toMatchObject({ effective: true });
    expect(during).toBe('paused');
    expect(state(place)).toBe('running');
    expect(await fault.verifyReverted()).toMatchObject({ clean: true, evidence: [`web-1: container ${id} is running`] });
  });

  test('does not take a service that is away for a container that is gone', async () => {
    using place = await start();
    await using fault = run(place);

    await fault.prepare();
    await fault.inject();
    place.sh('rm socket');
    await expect(fault.revert()).rejects.toThrow();
    const away = await fault.verifyReverted();
    place.sh(': >socket');
    await fault.revert();

    expect(away).toMatchObject({ clean: false });
    expect(state(place)).toBe('running');
    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
  });

  test('has nothing to undo when somebody removed the container', async () => {
    using place = await start();
    await using fault = run(place);

    await fault.prepare();
    await fault.inject();
    place.sh('rm state');
    await fault.revert();

    const { clean, evidence } = await fault.verifyReverted();
    expect(clean).toBe(true);
    expect(evidence.join('\n')).toContain('it was removed by somebody else');
  });
});
