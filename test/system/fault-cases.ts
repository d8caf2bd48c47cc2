/** One of each kind of fault that is held for a while, each for a host of its own. What they do and how it is seen is small, so that all fit at once. */
import { bladeAtWork, installBlade } from '../support/blade.ts';
import { startBox } from './boxes.ts';
import {
  answering,
  busy,
  byBoth,
  clockOff,
  diskBusy,
  doubled,
  folderFull,
  garbled,
  heldMemory,
  lossy,
  misled,
  overtaken,
  paused,
  rtt,
  silent,
  slowed,
  succeeding,
  unresolved,
  unserved,
} from './seen.ts';

export interface FaultCase {
  readonly fault: string;
  readonly target: string;
  readonly parameters: object;
  /** Sets the host up for it. */
  readonly first?: string;
  /** What is seen of it from outside, in words; `undefined` while there is nothing to see. */
  see(): Promise<string | undefined>;
}

const gateway = { to: ['10.77.0.1'] };
const bothGateways = { to: ['10.77.0.1', 'fd77::1'] };

/** Sends 200 kB to everybody who connects. */
const sender = `systemd-run -q --unit=sender /usr/bin/perl -MIO::Socket::INET -e '
my $s = IO::Socket::INET->new(LocalPort => 9000, Listen => 5, ReuseAddr => 1) or die;
while (my $c = $s->accept) { print $c "x" x 200000; close $c }'`;

const extra = '10.77.0.200';
const has = `ip -4 address show dev eth0 | grep -q ${extra}`;

export const faultCases: readonly FaultCase[] = [
  {
    fault: 'network-delay',
    target: 'h1',
    parameters: { ...bothGateways, time: '100ms' },
    first: 'ip -6 address add fd77::11/64 dev vec0 nodad',
    see: () => byBoth(rtt('h1', 95, 130), rtt('h1', 95, 130, 'fd77::11')),
  },
  { fault: 'network-loss', target: 'h2', parameters: { ...gateway, percent: 30 }, see: () => lossy('h2', 12, 50) },
  { fault: 'network-corrupt', target: 'h3', parameters: { ...gateway, percent: 50 }, see: () => garbled('h3', 3) },
  { fault: 'network-duplicate', target: 'h4', parameters: { ...gateway, percent: 50 }, see: () => doubled('h4', 3) },
  { fault: 'network-reorder', target: 'h5', parameters: { ...gateway, percent: 30, delay: '60ms' }, see: () => overtaken('h5', 3) },
  {
    fault: 'network-bandwidth',
    target: 'h6',
    parameters: { ...gateway, rate: '1mbit' },
    first: sender,
    see: () => slowed('h6', 500, 1_500),
  },
  { fault: 'clock-skew', target: 'h7', parameters: { offset: '-5m' }, see: () => clockOff('h7', 295) },
  { fault: 'container-pause', target: 'h9', parameters: { container: 'box' }, first: startBox('podman', 'box'), see: () => paused('h9') },
  {
    fault: 'network-partition',
    target: 'n1',
    parameters: bothGateways,
    see: () => byBoth(silent('n1'), silent('n1', 'fd77::101')),
  },
  {
    fault: 'network-partition (reject)',
    target: 'n2',
    parameters: { ...gateway, protocol: 'icmp', how: 'reject', direction: 'in' },
    see: () => silent('n2'),
  },
  { fault: 'dns-failure', target: 'n3', parameters: {}, see: () => unresolved('n3') },
  { fault: 'dns-spoof', target: 'n4', parameters: { names: { 'shop.example': '10.0.0.9' } }, see: () => misled('n4') },
  { fault: 'service-stop', target: 'n5', parameters: { unit: 'demo' }, see: () => unserved('n5') },
  { fault: 'process-pause', target: 'n6', parameters: { match: '^/usr/bin/perl /usr/local/bin/demo$' }, see: () => unserved('n6') },
  { fault: 'memory-pressure', target: 'n7', parameters: { size: '100MB' }, see: () => heldMemory('n7', 95) },
  { fault: 'disk-fill', target: 'n8', parameters: { path: '/srv', size: '50MB' }, see: () => folderFull('n8', '/srv', 50) },
  {
    fault: 'command',
    target: 'n9',
    parameters: {
      inject: `ip address add ${extra}/32 dev eth0`,
      verify: has,
      revert: `if ${has}; then ip address del ${extra}/32 dev eth0; fi`,
    },
    see: () => answering(extra),
  },
  {
    fault: 'chaosblade',
    target: 'n10',
    parameters: { create: ['cpu', 'fullload'] },
    first: installBlade,
    see: () => succeeding('n10', bladeAtWork, 'its program runs'),
  },
  // Last, since they take the cores from the others.
  { fault: 'disk-io', target: 'h8', parameters: { path: '/data', size: '4MB' }, see: () => diskBusy('h8', 500) },
  { fault: 'cpu-saturation', target: 'h10', parameters: { percent: 40 }, see: () => busy('h10', 30) },
];
