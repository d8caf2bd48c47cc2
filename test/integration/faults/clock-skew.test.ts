/**
 * `clock-skew` on a clock of the test's own. The real `date` and `systemctl` cannot be reached in there: both files are others.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clockSkew } from '../../../src/faults/clock-skew/index.ts';
import { ConfinedHost, missingTools, unconfined } from '../../support/confined-host.ts';
import { FaultRun } from '../../support/fault-run.ts';
import { shells } from '../../support/fuse-host.ts';

/** Stands for date(1): a clock that is so many microseconds from that of the machine. Knows what the fault uses. */
const date = `#!/bin/bash
read -r offset <"$HOME/clock"
machine=\${EPOCHREALTIME//[.,]/}
case "$*" in
  +%s) echo $(((machine + offset) / 1000000)) ;;
  +%s.%N) printf '%s.%06d000\\n' $(((machine + offset) / 1000000)) $(((machine + offset) % 1000000)) ;;
  '-u -s @'*[!0-9]*) echo "date: invalid date" >&2; exit 1 ;;
  '-u -s @'*) echo $((\${3#@} * 1000000 - machine)) >"$HOME/clock"; echo set ;;
  *) echo "date: what is $*?" >&2; exit 1 ;;
esac
`;

/** As that of busybox may be: it knows no fractions. */
const wholeDate = date.replace(/^ {2}\+%s\.%N.*$/m, '  +%s.%N) echo $(((machine + offset) / 1000000)).N ;;');

/** Stands for systemctl(1) with units that are running when there is a file of their name; chronyd is another name of chrony. */
const systemctl = `#!/bin/sh
for unit; do :; done
[ "$unit" != chronyd.service ] || unit=chrony.service
echo "$*" >>"$HOME/systemctl.log"
case $1 in
  is-active) [ -e "$HOME/units/$unit" ] || exit 3 ;;
  show) echo "Id=$unit" ;;
  stop) rm "$HOME/units/$unit" ;;
  start) : >"$HOME/units/$unit" ;;
  *) exit 1 ;;
esac
`;

const capable = (): boolean => {
  const [, bits = '0'] = /^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return (BigInt(`0x${bits}`) & (1n << 25n)) !== 0n;
};
const skipped =
  unconfined ??
  missingTools('bash', 'systemctl', 'setpriv') ??
  (process.getuid?.() !== 0 ? 'needs root: without it the fault refuses' : undefined) ??
  (capable() ? undefined : 'without CAP_SYS_TIME the fault refuses');
if (skipped !== undefined) console.warn(`skipped: clock-skew: ${skipped}`);

/** Not a whole number of seconds from the machine. */
const before = 7_345_678;

async function start(stubs: Record<string, string> = {}, units: readonly string[] = ['chrony.service']): Promise<ConfinedHost> {
  const place = await ConfinedHost.start({
    stubs: {
      '/usr/bin/date': date,
      '/usr/bin/systemctl': systemctl,
      'systemd-detect-virt': '#!/bin/sh\nexit 1\n',
      timedatectl: '#!/bin/sh\nexit 1\n',
      ...stubs,
    },
    setUp: 'mkdir -p /run/systemd/system',
  });
  writeFileSync(join(place.home, 'clock'), String(before));
  mkdirSync(join(place.home, 'units'));
  for (const unit of units) writeFileSync(join(place.home, 'units', unit), '');
  return place;
}

function skew(place: ConfinedHost, offset: string, shell?: readonly string[]): FaultRun {
  return new FaultRun(place.confine(clockSkew, shell), { hosts: [place.host], targets: ['web-1'], parameters: { offset } });
}

/** Seconds between the clock and where it was. */
const off = (place: ConfinedHost): number => (Number(readFileSync(join(place.home, 'clock'), 'utf8')) - before) / 1_000_000;
const set = (place: ConfinedHost, seconds: number): void => writeFileSync(join(place.home, 'clock'), String(before + seconds * 1_000_000));
const runs = (place: ConfinedHost, unit: string): boolean => existsSync(join(place.home, 'units', unit));

/** What the fault itself is content with is 0.1 s; more only when the machine paused each of three times. */
const tolerance = 0.3;

const cases = [
  ['+5m', 300, 'dash', ['dash'], date],
  ['-90s', -90, 'mksh', ['mksh'], date],
  ['+1s', 1, 'busybox', ['busybox', 'sh'], wholeDate],
].filter(([, , name]) => shells.some((shell) => shell.name === name && shell.path !== undefined)) as [
  string,
  number,
  string,
  string[],
  string,
][];

describe.skipIf(skipped !== undefined)('clock-skew', () => {
  test.each(cases)(
    'sets the clock by %s and back to the fraction of a second, twice',
    { timeout: 60_000 },
    async (offset, seconds, _name, shell, command) => {
      using place = await start({ '/usr/bin/date': command });
      await using run = skew(place, offset, shell);

      await run.prepare();
      const looked = [off(place), runs(place, 'chrony.service')];
      await run.inject();
      const [during, stopped] = [off(place), !runs(place, 'chrony.service')];
      const effect = await run.verify();
      const left = await run.verifyReverted();
      await run.revert();
      const once = off(place);
      await run.revert();
      const check = await run.verifyReverted();

      expect(looked).toEqual([0, true]);
      expect(Math.abs(during - seconds)).toBeLessThan(tolerance);
      expect(stopped).toBe(true);
      expect(effect, JSON.stringify(effect)).toMatchObject({ effective: true });
      expect(effect.measures?.clockSkew).toBeCloseTo(Math.abs(seconds) * 1_000, -3);
      expect(left.clean).toBe(false);
      expect(Math.abs(once)).toBeLessThan(tolerance);
      expect(off(place)).toBe(once);
      expect(check, JSON.stringify(check)).toMatchObject({ clean: true });
      expect(runs(place, 'chrony.service')).toBe(true);
    },
  );

  test('stops nothing twice, and starts only what ran', { timeout: 40_000 }, async () => {
    using place = await start({}, ['chrony.service', 'ntpsec.service']);
    await using run = skew(place, '+10m');

    await run.prepare();
    await run.inject();
    await run.revert();

    const log = readFileSync(join(place.home, 'systemctl.log'), 'utf8').split('\n');
    expect(log.filter((line) => line.startsWith('stop'))).toEqual(['stop chrony.service', 'stop ntpsec.service']);
    expect(log.filter((line) => line.startsWith('start'))).toEqual(['start chrony.service', 'start ntpsec.service']);
    expect(await run.verifyReverted()).toMatchObject({ clean: true });
  });

  test('starts the time service again when the injection died before the clock was set', { timeout: 40_000 }, async () => {
    using place = await start();
    await using run = skew(place, '+5m');
    await run.prepare();
    run.dieAt = 'inject-web-1';
    await expect(run.inject()).rejects.toThrow();
    place.sh('systemctl stop chrony.service');
    await using successor = run.successor();

    await successor.revert();

    expect(await successor.verifyReverted()).toMatchObject({ clean: true });
    expect([off(place), runs(place, 'chrony.service')]).toEqual([0, true]);
  });

  test.each([
    ['right', 0, true],
    ['somewhere else', 77, false],
  ])('leaves the clock alone when somebody set it %s meanwhile', { timeout: 40_000 }, async (_where, seconds, clean) => {
    using place = await start();
    await using run = skew(place, '+5m');

    await run.prepare();
    await run.inject();
    set(place, seconds);
    const effect = await run.verify();
    await run.revert().catch(() => undefined);

    expect(effect.effective).toBe(false);
    expect(off(place)).toBe(seconds);
    expect((await run.verifyReverted()).clean).toBe(clean);
  });

  test('is clean wherever the clock is once time servers have set it', { timeout: 40_000 }, async () => {
    using place = await start({ timedatectl: '#!/bin/sh\n[ "$*" = "show -p NTPSynchronized" ] && echo NTPSynchronized=yes\n' });
    await using run = skew(place, '+5m');

    await run.prepare();
    await run.inject();
    set(place, -3);
    await run.revert();

    expect(await run.verifyReverted()).toMatchObject({ clean: true });
    expect(off(place)).toBe(-3);
  });

  test('does not inject when somebody set the clock since it was looked at', { timeout: 40_000 }, async () => {
    using place = await start();
    await using run = skew(place, '+5m');

    await run.prepare();
    set(place, 20);
    await expect(run.inject()).rejects.toThrow();

    expect([off(place), runs(place, 'chrony.service')]).toEqual([20, true]);
  });

  test.each([
    ['a login that may not set it', ['setpriv', '--bounding-set=-sys_time', '--inh-caps=-sys_time', 'sh'], 'the login has no CAP_SYS_TIME'],
    ['a user namespace', ['unshare', '--map-root-user', 'sh'], 'in a user namespace'],
  ])('refuses %s', async (_what, shell, message) => {
    using place = await start();
    await using run = skew(place, '+5m', shell);

    await expect(run.prepare()).rejects.toThrow(message);
    expect(off(place)).toBe(0);
  });

  test('refuses a container', async () => {
    using place = await start({ 'systemd-detect-virt': '#!/bin/sh\n[ "$*" = "--quiet --container" ]\n' });
    await using run = skew(place, '+5m');

    await expect(run.prepare()).rejects.toThrow('this is a container');
  });

  test('refuses a time daemon that is no service', async () => {
    using place = await start({}, []);
    copyFileSync('/usr/bin/sleep', join(place.home, 'bin', 'chronyd'));
    place.sh('chmod +x bin/chronyd; chronyd 30 >/dev/null 2>&1 & echo $! >daemon');
    await using run = skew(place, '+5m');

    await expect(run.prepare()).rejects.toThrow('chronyd sets the clock and is no service');
    place.sh('kill "$(cat daemon)"');
  });
});
