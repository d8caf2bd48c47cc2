import { describe, expect, test } from 'vitest';
import { none, type Packet, type Qdiscs, type Shape, shapeOf } from '../../../../src/lab/network/qdisc.ts';
import { runTc } from '../../../../src/lab/network/tc-command.ts';

/** What is kept after the commands, each a line as one would type it. */
function kept(...lines: readonly string[]): Qdiscs {
  return lines.reduce<Qdiscs>((qdiscs, line) => {
    const { next } = runTc(line.split(' '), qdiscs, undefined);
    return next === undefined ? qdiscs : { serial: 'x', ...next };
  }, none);
}

/** Matches a message that begins with that line. */
function firstLine(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?:\n|$)`);
}

const packet: Packet = { source: '127.0.0.1', destination: '127.0.0.1', sport: 0, dport: 5432 };
const shaped = (qdiscs: Qdiscs, what: Partial<Packet> = {}): Shape | undefined => shapeOf(qdiscs, { ...packet, ...what });

describe('tc of a lab host', () => {
  test.each([
    ['netem delay 100ms', { delay: 100, jitter: 0, loss: 0 }],
    ['netem limit 100000 delay 1s 20ms 25%', { delay: 1_000, jitter: 20, loss: 0 }],
    ['netem latency 500us', { delay: 0.5, jitter: 0, loss: 0 }],
    ['netem loss 30% 0%', { delay: 0, jitter: 0, loss: 0.3 }],
    ['netem loss random 1.5% rate 8mbit', { delay: 0, jitter: 0, loss: 0.015, rate: 1_000_000 }],
    ['tbf rate 80kbit burst 1600 latency 50ms', { delay: 0, jitter: 0, loss: 0, rate: 10_000 }],
  ])('takes %s', (discipline, shape) => {
    expect(shaped(kept(`qdisc add dev lab0 root ${discipline}`))).toEqual(shape);
  });

  test('sorts by filter as the network faults ask for it: the control path and other ports stay untouched', () => {
    const qdiscs = kept(
      'qdisc add dev lab0 root handle c4a0: prio bands 4 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 1',
      'qdisc add dev lab0 parent c4a0:4 handle c4a1: netem delay 50ms',
      'filter add dev lab0 parent c4a0: protocol ipv6 pref 12 u32 match ip6 protocol 58 0xff match u8 135 0xff at 40 flowid c4a0:1',
      'filter add dev lab0 parent c4a0: protocol ip pref 10 u32 match ip protocol 6 0xff match ip sport 22 0xffff flowid c4a0:1',
      'filter add dev lab0 parent c4a0: protocol ip pref 30 u32 match ip dst 127.0.0.0/8 match ip dport 5432 0xffff flowid c4a0:4',
    );

    expect(shaped(qdiscs)?.delay).toBe(50);
    expect(shaped(qdiscs, { dport: 80 })).toBeUndefined();
    expect(shaped(qdiscs, { sport: 22 })).toBeUndefined();
    expect(shaped(qdiscs, { destination: '10.0.0.1' })).toBeUndefined();
  });

  test('shows what there is as the network faults read it, with what went through', () => {
    const qdiscs = kept('qdisc add dev lab0 root handle 1: netem delay 5ms');

    expect(runTc(['qdisc', 'show', 'dev', 'lab0'], none, undefined).stdout).toBe('qdisc noqueue 0: root refcnt 2\n');
    expect(runTc(['qdisc', 'show'], qdiscs, undefined).stdout).toBe('qdisc netem 1: dev lab0 root refcnt 2 delay 5ms\n');
    const counted = runTc(['-s', 'qdisc', 'show', 'dev', 'lab0'], qdiscs, { serial: 'x', bytes: 90, packets: 3, dropped: 1 }).stdout;
    expect(counted).toContain('\n Sent 90 bytes 3 pkt (dropped 1, ');
  });

  test('does not show what was counted for a discipline that is gone', () => {
    const qdiscs = kept('qdisc add dev lab0 root netem delay 5ms');

    const { stdout } = runTc(['-s', 'qdisc', 'show'], qdiscs, { serial: 'older', bytes: 90, packets: 3, dropped: 1 });

    expect(stdout).toContain('Sent 0 bytes 0 pkt');
  });

  test('deletes the root with all that hangs on it', () => {
    const tree = ['qdisc add dev lab0 root handle 1: prio bands 4', 'qdisc add dev lab0 parent 1:4 netem delay 5ms'];
    const filter = 'filter add dev lab0 parent 1: protocol ip u32 match u32 0 0 flowid 1:4';

    const left = kept(...tree, filter, 'qdisc del dev lab0 root');

    expect(left).toMatchObject({ qdiscs: [], filters: [] });
  });

  test('keeps nothing on lo, where others try what the kernel takes', () => {
    expect(runTc('qdisc add dev lo root netem delay 1ms'.split(' '), none, undefined)).toEqual({ stdout: '' });
  });

  test.each([
    ['qdisc add dev lab0 root netem corrupt 1%', 1, 'What is "corrupt"?'],
    ['qdisc add dev lab0 root netem duplicate 1%', 1, 'What is "duplicate"?'],
    ['qdisc add dev lab0 root netem delay 1ms reorder 25%', 1, 'What is "reorder"?'],
    ['qdisc add dev lab0 root netem delay 9ms 1ms distribution normal', 1, 'No distribution data for normal'],
    ['qdisc add dev lab0 root fq_codel', 2, 'Error: Specified qdisc kind is unknown.'],
    ['qdisc add dev lab0 handle ffff: ingress', 2, 'Error: Specified qdisc kind is unknown.'],
    ['class show', 255, 'Object "class" is unknown, try "tc help".'],
    ['qdisc invent', 255, 'Command "invent" is unknown, try "tc qdisc help".'],
    ['-j qdisc', 255, 'Option "-j" is unknown, try "tc -help".'],
  ])('refuses %j, which the lab does not have, in the words of iproute2', (line, exitCode, message) => {
    expect(() => runTc(line.split(' '), none, undefined)).toThrow(
      expect.objectContaining({ exitCode, message: expect.stringContaining(message) }),
    );
  });

  const prio = 'qdisc add dev lab0 root handle 1: prio bands 4';
  const leaf = 'qdisc add dev lab0 parent 1:4 handle 2: netem delay 1ms';
  const netem = 'qdisc add dev lab0 root netem delay 1ms';
  const netem1 = 'qdisc add dev lab0 root handle 1: netem delay 1ms';

  // What iproute2 6.1 on Linux 7.2 answered to the same lines.
  test.each<[before: string[], line: string, exitCode: number, message: string]>([
    [[], 'qdisc change dev lab0 root netem delay 1ms', 2, 'Error: Qdisc not found. To create specify NLM_F_CREATE flag.'],
    [[], 'qdisc change dev lab0 root handle 1: netem delay 1ms', 2, 'Error: Qdisc not found. To create specify NLM_F_CREATE flag.'],
    [[], 'qdisc replace dev lab0 root netem delay 1ms', 0, ''],
    [[netem], 'qdisc change dev lab0 root netem delay 2ms', 0, ''],
    [[netem], 'qdisc change dev lab0 root handle 1: netem delay 2ms', 2, 'Error: NLM_F_REPLACE needed to override.'],
    [[netem1], 'qdisc change dev lab0 root handle 1: netem delay 2ms', 0, ''],
    [[netem1], 'qdisc change dev lab0 handle 1: netem delay 2ms', 0, ''],
    [[netem], 'qdisc change dev lab0 root tbf rate 1mbit burst 10k latency 1ms', 0, ''],
    [[netem], 'qdisc replace dev lab0 root tbf rate 1mbit burst 10k latency 1ms', 0, ''],
    [[netem], 'qdisc add dev lab0 root netem delay 2ms', 2, 'Error: Exclusivity flag on, cannot modify.'],
    [[netem1], 'qdisc add dev lab0 root handle 1: netem delay 2ms', 2, 'Error: Exclusivity flag on, cannot modify.'],
    [[netem1], 'qdisc add dev lab0 root handle 2: netem delay 2ms', 2, 'Error: NLM_F_REPLACE needed to override.'],
    [[netem1], 'qdisc replace dev lab0 root handle 1: netem delay 2ms', 0, ''],
    [[netem1], 'qdisc replace dev lab0 root handle 2: netem delay 2ms', 0, ''],
    [[prio], 'qdisc change dev lab0 parent 1:4 netem delay 1ms', 2, 'Error: Qdisc not found. To create specify NLM_F_CREATE flag.'],
    [[prio], 'qdisc add dev lab0 parent 1:4 netem delay 1ms', 0, ''],
    [[prio], 'qdisc add dev lab0 parent 1:5 netem delay 1ms', 2, 'Error: Specified class not found.'],
    [[prio], 'qdisc add dev lab0 parent 1:0 netem delay 1ms', 2, 'Error: Specified class not found.'],
    [[prio], 'qdisc add dev lab0 parent 2:1 netem delay 1ms', 2, 'Error: Failed to find specified qdisc.'],
    [[prio], 'qdisc add dev lab0 parent 1: netem delay 1ms', 2, 'Error: Specified class not found.'],
    [[prio, leaf], 'qdisc change dev lab0 parent 1:4 handle 2: netem delay 2ms', 0, ''],
    [[prio, leaf], 'qdisc change dev lab0 parent 1:4 netem delay 2ms', 0, ''],
    [[prio, leaf], 'qdisc add dev lab0 parent 1:4 handle 3: netem delay 2ms', 2, 'Error: NLM_F_REPLACE needed to override.'],
    [[prio, leaf], 'qdisc add dev lab0 parent 1:4 netem delay 2ms', 2, 'Error: Exclusivity flag on, cannot modify.'],
    [
      [prio, leaf],
      'qdisc add dev lab0 parent 1:3 handle 2: netem delay 2ms',
      2,
      'Error: Cannot move an existing qdisc to a different parent.',
    ],
    [[prio, leaf], 'qdisc del dev lab0 parent 1:4', 0, ''],
    [[prio, leaf], 'qdisc del dev lab0 parent 1:4 handle 2:', 0, ''],
    [[prio, leaf], 'qdisc del dev lab0 parent 1:4 handle 3:', 2, 'Error: Invalid handle.'],
    [[prio], 'qdisc del dev lab0 parent 1:4', 2, 'Error: Cannot delete qdisc with handle of zero.'],
    [[prio], 'qdisc del dev lab0 parent 2:4', 2, 'Error: Failed to find qdisc with specified classid.'],
    [[prio], 'qdisc del dev lab0 root handle 1:', 0, ''],
    [[prio], 'qdisc del dev lab0 root handle 2:', 2, 'Error: Invalid handle.'],
    [[prio], 'qdisc del dev lab0 handle 1:', 2, 'Error: Classid cannot be zero.'],
    [[], 'qdisc del dev lab0 root', 2, 'Error: Cannot delete qdisc with handle of zero.'],
    [[], 'qdisc del dev lab0 ingress', 2, 'Error: Cannot find specified qdisc on specified device.'],
    [[], 'qdisc del dev lab0 parent 1:4', 2, 'Error: Failed to find qdisc with specified classid.'],
    [[], 'qdisc del dev lab0', 2, 'Error: Failed to find qdisc with specified handle.'],
    [[], 'qdisc del dev lab0 root handle 1:', 2, 'Error: Invalid handle.'],
    [[], 'qdisc add dev lab0 root', 2, 'Error: Specified qdisc kind is unknown.'],
    [[], 'qdisc add dev lab0', 2, 'Error: Handle cannot be zero.'],
    [[], 'qdisc add dev nope0 root netem delay 1ms', 1, 'Cannot find device "nope0"'],
    [[], 'qdisc add dev lab0 parent 1:4 netem delay 1ms', 2, 'Error: Failed to find specified qdisc.'],
    [[], 'qdisc change dev lab0 parent 1:4 netem delay 1ms', 2, 'Error: Failed to find specified qdisc.'],
    [[], 'qdisc add root netem delay 1ms', 2, 'RTNETLINK answers: No such device'],
    [[], 'qdisc add dev lab0 root nosuch', 2, 'Error: Specified qdisc kind is unknown.'],
    [[], 'qdisc add dev lab0 root netem delay', 255, 'Command line is not complete. Try option "help"'],
    [[], 'qdisc add dev lab0 root netem delay soon', 1, 'Illegal "latency"'],
    [[], 'qdisc add dev lab0 root netem loss 101%', 1, 'Illegal "loss percent"'],
    [[], 'qdisc add dev lab0 root netem loss 50', 0, ''],
    [[], 'qdisc add dev lab0 root netem rate 1furlong', 1, 'Illegal "rate"'],
    [[], 'qdisc add dev lab0 root netem nosuch 1', 1, 'What is "nosuch"?'],
    [[], 'qdisc add dev lab0 root netem', 0, ''],
    [[], 'qdisc add dev lab0 root netem limit', 255, 'Command line is not complete. Try option "help"'],
    [[], 'qdisc add dev lab0 root netem limit x delay 1ms', 1, 'Illegal "limit"'],
    [[], 'qdisc add dev lab0 root tbf burst 1600', 1, 'tbf: the "rate" parameter is mandatory.'],
    [[], 'qdisc add dev lab0 root tbf rate 1mbit', 1, 'tbf: the "burst" parameter is mandatory.'],
    [[], 'qdisc add dev lab0 root tbf rate 1mbit burst 10k', 1, 'tbf: either "limit" or "latency" is required.'],
    [[], 'qdisc add dev lab0 root tbf rate 1mbit latency 1ms', 1, 'tbf: the "burst" parameter is mandatory.'],
    [[], 'qdisc add dev lab0 root tbf rate 0 burst 10k latency 1ms', 1, 'tbf: the "rate" parameter is mandatory.'],
    [
      [],
      'qdisc add dev lab0 root tbf rate 1mbit burst 10k latency 1ms limit 10k',
      1,
      'tbf: specifying both "latency" and "limit" is not allowed',
    ],
    [[], 'qdisc add dev lab0 root tbf rate 1mbit burst x latency 1ms', 1, 'tbf: illegal value for "burst": "x"'],
    [[], 'qdisc add dev lab0 root tbf rate 1mbit burst 10k latency x', 1, 'tbf: illegal value for "latency": "x"'],
    [[], 'qdisc add dev lab0 root tbf', 1, 'tbf: the "rate" parameter is mandatory.'],
    [[], 'qdisc add dev lab0 root tbf nosuch 1', 1, 'tbf: unknown parameter "nosuch"'],
    [[], 'qdisc add dev lab0 root tbf rate 1mbit rate 2mbit burst 10k latency 1ms', 1, 'tbf: duplicate "rate" specification'],
    [[], 'qdisc add dev lab0 root handle x: netem delay 1ms', 255, 'Error: argument "x:" is wrong: invalid qdisc ID'],
    [[], 'qdisc add dev lab0 root handle 1:1 netem delay 1ms', 0, ''],
    [[], 'qdisc add dev lab0 root prio bands 1', 2, 'RTNETLINK answers: Invalid argument'],
    [[], 'qdisc add dev lab0 root prio bands 17', 2, 'RTNETLINK answers: Invalid argument'],
    [[], 'qdisc add dev lab0 root prio bands', 255, 'Command line is not complete. Try option "help"'],
    [[], 'qdisc add dev lab0 root prio nosuch', 1, 'What is "nosuch"?'],
    [[], 'qdisc add dev lab0 root prio bands 4 priomap 1 2 2 2 1 2 0 0 1 1 1 1 1 1 1 9', 1, '"priomap" element is out of bands'],
    [[], 'qdisc add dev lab0 root prio', 0, ''],
    [[], 'qdisc get dev lab0', 255, 'Command "get" is unknown, try "tc qdisc help".'],
    [[], 'qdisc show nosuch', 255, 'What is "nosuch"? Try "tc qdisc help".'],
    [[], 'qdisc show dev lab0 nosuch', 255, 'What is "nosuch"? Try "tc qdisc help".'],
    [[], 'filter add dev lab0 parent 1: protocol ip u32 match u32 0 0 flowid 1:4', 2, "Error: Parent Qdisc doesn't exists."],
    [[prio], 'filter add dev lab0 parent 1: protocol ip u32 match u32 0 0 flowid 1:4', 0, ''],
    [[prio], 'filter add dev lab0 parent 1:0 protocol ip u32 match u32 0 0 flowid 1:4', 0, ''],
    [[prio], 'filter add dev lab0 parent 1: protocol ip prio 1 u32 match ip dport 80 0xffff flowid 1:4', 0, ''],
    [[prio], 'filter add dev lab0 parent 1: protocol ip prio 1 u32 match ip dport http 0xffff flowid 1:4', 1, 'Illegal "match"'],
    [[prio], 'filter add dev lab0 parent 1: protocol ip prio 1 u32 match ip dst 10.0.0.0/8 flowid 1:4', 0, ''],
    [[prio], 'filter add dev lab0 parent 1: protocol ip prio 1 u32 match ip dst nosuch flowid 1:4', 1, 'Illegal "match"'],
    [[prio], 'filter add dev lab0 parent 1: protocol ip prio 1 u32 match ip dst 10.0.0.0/33 flowid 1:4', 1, 'Illegal "match"'],
    [[prio], 'filter add dev lab0 parent 1: protocol ip prio 1 u32 flowid 1:4', 2, 'Error: cls_u32: Selector not specified.'],
    [[prio], 'filter add dev lab0 parent 1: protocol ip prio 1 u32 match ip dport 80 0xffff', 0, ''],
    [[prio], 'filter add dev lab0 parent 1: protocol ip prio 1 nosuch', 2, 'Error: TC classifier not found.'],
    [
      [prio],
      'filter add dev lab0 parent 1: protocol nosuch prio 1 u32 match u32 0 0 flowid 1:4',
      255,
      'Error: argument "nosuch" is wrong: invalid protocol',
    ],
    [[prio], 'filter add dev lab0 parent 1: prio 1 u32 match u32 0 0 flowid 1:4', 0, ''],
    [
      [prio],
      'filter add dev lab0 parent 1: protocol ip prio x u32 match u32 0 0 flowid 1:4',
      255,
      'Error: argument "x" is wrong: invalid priority value',
    ],
    [[prio], 'filter add dev lab0 parent 1: protocol ip prio 1 u32 match u32 0 0 flowid x', 1, 'Illegal "classid"'],
    [[prio], 'filter add dev lab0 protocol ip prio 1 u32 match u32 0 0 flowid 1:4', 0, ''],
    [[], 'filter nosuch', 255, 'Command "nosuch" is unknown, try "tc filter help".'],
  ])('after %j answers %j as the real one does: %i', (before, line, exitCode, message) => {
    const state = kept(...before);

    const answer = (): unknown => runTc(line.split(' '), state, undefined);

    if (exitCode === 0) expect(answer).not.toThrow();
    else expect(answer).toThrow(expect.objectContaining({ exitCode, message: expect.stringMatching(firstLine(message)) }));
  });

  test('a change in place keeps what hangs below, and bands that go take it along', () => {
    const filter = 'filter add dev lab0 parent 1: protocol ip u32 match u32 0 0 flowid 1:4';

    expect(kept(prio, leaf, filter, 'qdisc replace dev lab0 root handle 1: prio bands 5')).toMatchObject({
      qdiscs: [{ bands: 5 }, { parent: '1:4' }],
      filters: [{ flowid: '1:4' }],
    });
    expect(kept(prio, leaf, 'qdisc change dev lab0 root handle 1: prio bands 3').qdiscs).toHaveLength(1);
    expect(kept(prio, leaf, 'qdisc replace dev lab0 root netem delay 1ms').qdiscs).toHaveLength(1);
  });
});
