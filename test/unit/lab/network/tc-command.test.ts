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
    ['qdisc add dev lab0 root netem delay soon', 1, 'Illegal "latency"'],
    ['qdisc add dev lab0 root netem loss 101%', 1, 'Illegal "loss percent"'],
    ['qdisc add dev lab0 root tbf burst 1600', 1, '"rate" is required.'],
    ['qdisc add dev lab0 root fq_codel', 2, 'Error: Specified qdisc kind is unknown.'],
    ['qdisc add dev lab0 handle ffff: ingress', 2, 'Error: Specified qdisc kind is unknown.'],
    ['qdisc add dev eth0 root netem delay 1ms', 1, 'Cannot find device "eth0"'],
    ['qdisc add dev lab0 parent 1:4 netem delay 1ms', 2, 'Error: Failed to find specified qdisc.'],
    ['qdisc del dev lab0 root', 2, 'Error: Cannot delete qdisc with handle of zero.'],
    ['filter add dev lab0 parent 1: protocol ip u32 match ip dport http 0xffff flowid 1:4', 1, 'Illegal "match"'],
    ['class show', 1, 'Object "class" is unknown, try "tc help".'],
    ['qdisc invent', 1, 'Command "invent" is unknown, try "tc qdisc help".'],
    ['qdisc add dev lab0 root', 1, 'Command line is not complete. Try option "help"'],
    ['filter add dev lab0 parent 1: protocol ip u32 match u32 0 0 flowid 1:4', 2, 'Error: Specified qdisc not found.'],
  ])('refuses %j in the words of iproute2', (line, exitCode, message) => {
    expect(() => runTc(line.split(' '), none, undefined)).toThrow(
      expect.objectContaining({ exitCode, message: expect.stringContaining(message) }),
    );
  });

  test('refuses a second root discipline', () => {
    expect(() => kept('qdisc add dev lab0 root netem delay 1ms', 'qdisc add dev lab0 root netem delay 2ms')).toThrow('Exclusivity flag on');
  });
});
