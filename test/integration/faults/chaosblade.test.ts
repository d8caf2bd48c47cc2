/** `chaosblade` with a stand-in for the blade command, real processes and the real fuse. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { chaosblade } from '../../../src/faults/chaosblade/index.ts';
import { ConfinedHost, unconfined } from '../../support/confined-host.ts';
import { FaultRun, runId } from '../../support/fault-run.ts';

if (unconfined !== undefined) console.warn(`skipped: chaosblade: ${unconfined}`);

/**
 * Stands for blade of ChaosBlade 1.x: records in a file an experiment, answers in JSON on one line, exit code 1 for every failure. Its
 * experiments burn nothing: `cpu fullload` leaves a process behind as the real one does, `cpu slow` needs three seconds for it, `disk stuck`
 * leaves one that its destroy forgets, `disk broken` fails half-way.
 */
const blade = `#!/bin/sh
records=$HOME/records
mkdir -p "$records"
ok() { printf '{"code":200,"success":true,"result":%s}\\n' "$1"; }
fail() { printf '{"code":%s,"success":false,"error":"%s"}\\n' "$1" "$2"; exit 1; }
record() { printf '%s' "$2" >"$records/$1"; }
burn() { nohup sleep 600 >/dev/null 2>&1 & echo $! >"$HOME/burner"; }
verb=$1; shift
case $verb in
  version) echo 'version: 1.7.4' ;;
  create)
    target=$1 action=$2; shift 2
    : >"$HOME/words"
    uid=5f2e8a9c0d1b7e34
    while [ $# -gt 0 ]; do
      case $1 in
        --uid) uid=$2; shift ;;
        --unheard-of) fail 45000 'unknown flag: --unheard-of' ;;
        *) printf '%s\\n' "$1" >>"$HOME/words" ;;
      esac
      shift
    done
    record "$uid" Created
    case $action in
      slow) sleep 3; burn ;;
      broken) burn; record "$uid" Error; fail 56000 'no space left on device' ;;
      *) burn ;;
    esac
    record "$uid" Success
    [ "$target" != old ] || uid=5f2e8a9c0d1b7e34
    ok "\\"$uid\\""
    ;;
  destroy)
    [ -e "$records/$1" ] || fail 44000 "\\\`$1\\\`: record not found"
    [ ! -e "$HOME/readonly" ] || fail 67001 'attempt to write a readonly database'
    grep -q stuck "$HOME/action" 2>/dev/null || kill "$(cat "$HOME/burner")" 2>/dev/null
    record "$1" Destroyed
    echo "$1" >>"$HOME/destroyed"
    ok '{"Target":"cpu","Action":"fullload"}'
    ;;
  status)
    [ ! -e "$HOME/locked" ] || fail 67001 'database is locked'
    [ -e "$records/$1" ] || fail 44000 "\\\`$1\\\`: record not found"
    ok "{\\"Uid\\":\\"$1\\",\\"Command\\":\\"cpu\\",\\"SubCommand\\":\\"fullload\\",\\"Flag\\":\\"\\",\\"Status\\":\\"$(cat "$records/$1")\\",\\"Error\\":\\"\\"}"
    ;;
esac
`;

const uid = `${runId}xs1x1`;
/** Not dead, and not a zombie. */
const alive = 'grep -q "^State:.[^XZ]" "/proc/$(cat "$HOME/burner")/status"';

function run(place: ConfinedHost, parameters: JsonObject): FaultRun {
  return new FaultRun(place.confine(chaosblade), { hosts: [place.host], targets: ['web-1'], parameters });
}

const start = (): Promise<ConfinedHost> => ConfinedHost.start({ stubs: { blade } });
const read = (place: ConfinedHost, name: string): string =>
  existsSync(join(place.home, name)) ? readFileSync(join(place.home, name), 'utf8') : '';
const write = (place: ConfinedHost, name: string): void => writeFileSync(join(place.home, name), name);
const burning = (place: ConfinedHost): boolean => place.sh(alive).code === 0;
const status = (place: ConfinedHost): string => read(place, `records/${uid}`);

describe.skipIf(unconfined !== undefined)('chaosblade', () => {
  test('creates an experiment with the words as they are, proves it, and destroys it by its uid, once', async () => {
    using place = await start();
    const words = ['--cpu-percent', '60', '--note', `it's "$(id)"; \`id\` \\ * ~ é`];
    await using fault = run(place, { create: ['cpu', 'fullload', ...words], verify: alive });

    await fault.prepare();
    const before = read(place, 'words');
    await fault.inject();
    const effect = await fault.verify();
    const during = burning(place);
    const left = await fault.verifyReverted();
    await fault.revert();
    await fault.revert();
    const check = await fault.verifyReverted();

    expect(before).toBe('');
    expect(read(place, 'words')).toBe(`${words.join('\n')}\n`);
    expect(effect).toEqual({ effective: true, evidence: ['web-1: blade status: Success', 'web-1: verify sees the effect'] });
    expect(during).toBe(true);
    expect(left).toMatchObject({ clean: false, evidence: ['web-1: blade status: Success'] });
    expect(check).toMatchObject({
      clean: true,
      evidence: ['web-1: blade status: Destroyed', 'web-1: verify does not see the effect any more'],
    });
    expect(burning(place)).toBe(false);
    expect(read(place, 'destroyed')).toBe(`${uid}\n`);
  });

  test('ends a creation that is still at work, and destroys what it began', async () => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'slow'] });

    await fault.prepare();
    const injection = fault.inject().then(
      () => 'injected',
      () => 'failed',
    );
    await expect.poll(() => status(place), { timeout: 10_000 }).toBe('Created');
    await fault.revert();

    expect(await injection).toBe('failed');
    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
    expect(status(place)).toBe('Destroyed');
    expect(place.sh(`pgrep -f '[${uid[0]}]${uid.slice(1)}'`).out).toBe('');
  });

  test('destroys an experiment that failed half-way, and says why it failed', async () => {
    using place = await start();
    await using fault = run(place, { create: ['disk', 'broken'] });

    await fault.prepare();
    await expect(fault.inject()).rejects.toThrow('no space left on device');
    await fault.revert();

    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
    expect([status(place), burning(place)]).toEqual(['Destroyed', false]);
  });

  test('has nothing to undo when blade refused the words', async () => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'fullload', '--unheard-of'] });

    await fault.prepare();
    await expect(fault.inject()).rejects.toThrow('unknown flag: --unheard-of');
    await fault.revert();

    expect(await fault.verifyReverted()).toMatchObject({ clean: true, evidence: ['web-1: blade status: none'] });
  });

  test('destroys an experiment that blade gave another uid', async () => {
    using place = await start();
    await using fault = run(place, { create: ['old', 'fullload'] });
    await fault.prepare();
    place.sh('mkdir -p records; echo Success >records/5f2e8a9c0d1b7e34');

    await expect(fault.inject()).rejects.toThrow('another uid (5f2e8a9c0d1b7e34)');
    await fault.revert();

    expect(read(place, 'records/5f2e8a9c0d1b7e34')).toBe('Destroyed');
    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
  });

  test('ends a process that blade says it destroyed and left', async () => {
    using place = await start();
    writeFileSync(join(place.home, 'action'), 'stuck');
    await using fault = run(place, { create: ['disk', 'stuck'], verify: alive });

    await fault.prepare();
    await fault.inject();
    await fault.revert();

    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
    expect(burning(place)).toBe(false);
  });

  test.each([
    ['readonly', 'blade status: Success'],
    ['locked', 'blade status: unknown'],
  ])('is not clean while the records of blade are %s, and clean after', async (how, evidence) => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'fullload'] });

    await fault.prepare();
    await fault.inject();
    write(place, how);
    await expect(fault.revert()).rejects.toThrow();
    const first = await fault.verifyReverted();
    place.sh(`rm ${how}`);
    await fault.revert();

    expect(first).toMatchObject({ clean: false });
    expect(first.evidence[0]).toBe(`web-1: ${evidence}`);
    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
  });

  test('is not in effect when the author sees none, whatever blade says', async () => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'fullload'], verify: 'false' });

    await fault.prepare();
    await fault.inject();

    expect(await fault.verify()).toMatchObject({ effective: false });
    await fault.revert();
  });

  test('is not in effect any more when somebody destroyed it', async () => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'fullload'] });

    await fault.prepare();
    await fault.inject();
    place.sh(`blade destroy ${uid}`);

    expect(await fault.verify()).toMatchObject({ effective: false, evidence: ['web-1: blade status: Destroyed'] });
    await fault.revert();
    expect(await fault.verifyReverted()).toMatchObject({ clean: true });
  });

  test.each([
    ['a host without blade', { blade: '/opt/nowhere/blade' }, 'there is no blade command (/opt/nowhere/blade)'],
    ['a blade that does not run', { blade: '/bin/false' }, '/bin/false does not run'],
    ['an effect that is there already', { verify: 'true' }, 'verify sees the effect before anything was injected'],
  ])('refuses %s', async (_what, parameters, message) => {
    using place = await start();
    await using fault = run(place, { create: ['cpu', 'fullload'], ...parameters });

    await expect(fault.prepare()).rejects.toThrow(message);
  });
});
