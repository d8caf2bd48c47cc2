/** What is seen of a fault from outside, in words; `undefined` while there is nothing to see. */
import { askBox, type ContainerTool } from './boxes.ts';
import { bed } from './testbed/bed.ts';

type Seen = Promise<string | undefined>;

export const rtt = async (target: string, low: number, high: number, address?: string): Seen => {
  const ms = await bed.ping(target, address);
  return ms !== undefined && ms > low && ms < high ? `ping ${ms} ms` : undefined;
};
export const silent = async (target: string, address?: string): Seen =>
  (await bed.ping(target, address)) === undefined ? 'no answer to ping' : undefined;
/** The same by IPv4 and by IPv6: either both see it, or neither. */
export const byBoth = async (four: Seen, six: Seen): Seen => {
  const [v4, v6] = await Promise.all([four, six]);
  if ((v4 === undefined) !== (v6 === undefined)) throw new Error(`seen by one of two: ${v4 ?? `IPv6 ${v6}`}`);
  return v4 === undefined ? undefined : `${v4}, by IPv6 ${v6}`;
};
export const busy = async (target: string, least: number): Seen => {
  const look = "awk '/^cpu / { print $2+$3+$4+$5+$6+$7+$8+$9, $5+$6 }' /proc/stat";
  const numbers = (await bed.ssh(target, `${look}; sleep 2; ${look}`)).out.split(/\s+/).map(Number);
  const [total0 = 0, idle0 = 0, total = 0, idle = 0] = numbers;
  const percent = Math.round(100 * (1 - (idle - idle0) / (total - total0)));
  return percent >= least ? `busy ${percent} %` : undefined;
};

export const unserved = async (target: string): Seen => ((await bed.serves(target)) ? undefined : 'no answer on port 8080');
const numberOf = async (target: string, command: string): Promise<number> => Number((await bed.ssh(target, command)).out.trim());
export const memoryUsed = async (target: string, least: number): Seen => {
  const percent = await numberOf(target, "awk '/^MemTotal/ { t = $2 } /^MemAvailable/ { print int(100 - $2 * 100 / t) }' /proc/meminfo");
  return percent >= least ? `${percent} % of the memory used` : undefined;
};
export const diskUsed = async (target: string, least: number): Seen => {
  const percent = await numberOf(target, "df -P /data | awk 'NR == 2 { print int($5) }'");
  return percent >= least ? `${percent} % of the disk used` : undefined;
};

/** kB that the disk under /data reads and writes in two seconds. */
export const diskBusy = async (target: string, least: number): Seen => {
  const look = 'awk \'$3 == "ubdb" { print int(($6 + $10) / 2) }\' /proc/diskstats';
  const [before = 0, after = 0] = (await bed.ssh(target, `${look}; sleep 2; ${look}`)).out.trim().split('\n').map(Number);
  return after - before >= least ? `${after - before} kB moved in 2 s` : undefined;
};
const resolved = async (target: string): Promise<string> =>
  (await bed.ssh(target, "timeout 10 getent ahostsv4 shop.example | awk 'NR == 1 { print $1 }'")).out.trim();
export const unresolved = async (target: string): Seen => ((await resolved(target)) === '' ? 'shop.example is unknown' : undefined);
export const misled = async (target: string): Seen => ((await resolved(target)) === '10.0.0.9' ? 'shop.example is 10.0.0.9' : undefined);
export const clockOff = async (target: string, least: number): Seen => {
  const seconds = Math.round((await numberOf(target, 'date +%s')) - Date.now() / 1_000);
  return Math.abs(seconds) >= least ? `the clock is ${seconds} s off` : undefined;
};

export const paused = async (target: string, tool: ContainerTool = 'podman'): Seen =>
  (await bed.ssh(target, askBox(tool, 'box'))).out.startsWith('paused ') ? `paused, says ${tool}` : undefined;

/** Share of pings that get no answer. */
export const lossy = async (target: string, low: number, high: number): Seen => {
  const percent = Number(/([\d.]+)% packet loss/.exec((await bed.pings(target, 100, 0.02)).out)?.[1] ?? 100);
  return percent >= low && percent <= high ? `${percent} % of the pings lost` : undefined;
};
export const doubled = async (target: string, least: number): Seen => {
  const times = (await bed.pings(target, 20, 0.05)).out.split('DUP!').length - 1;
  return times >= least ? `${times} of 20 pings answered twice` : undefined;
};
/** Answers that overtook one that was asked for earlier. */
export const overtaken = async (target: string, least: number): Seen => {
  const order = [...(await bed.pings(target, 60, 0.01)).out.matchAll(/icmp_seq=(\d+)/g)].map(([, n]) => Number(n));
  const times = order.filter((n, index) => n < Math.max(0, ...order.slice(0, index))).length;
  return times >= least ? `${times} of 60 pings overtaken` : undefined;
};
/** ICMP packets that arrived outside with a wrong checksum while the target was pinged. */
export const garbled = async (target: string, least: number): Seen => {
  const count = async (): Promise<number> => {
    const [names = [], values = []] = (await bed.inside('grep', ['^Icmp:', '/proc/net/snmp'])).out
      .split('\n')
      .map((line) => line.split(' '));
    return Number(values[names.indexOf('InCsumErrors')]);
  };
  const before = await count();
  await bed.pings(target, 40, 0.02);
  const wrong = (await count()) - before;
  return wrong >= least ? `${wrong} wrong checksums in 40 pings` : undefined;
};
/** What its port 9000 sends, until the end. */
export const slowed = async (target: string, low: number, high: number): Seen => {
  const { bytes, seconds } = await bed.download(target, 9_000);
  const kbit = Math.round((bytes * 8) / 1_000 / seconds);
  return kbit >= low && kbit <= high ? `${kbit} kbit/s` : undefined;
};
export const heldMemory = async (target: string, least: number): Seen => {
  const look =
    'for f in $(grep -ls "CHAOS_FAULT[=]" /proc/[0-9]*/environ); do grep -s ^VmRSS "$(dirname $f)/status"; done | awk \'{ s += $2 } END { print int(s / 1024) }\'';
  const mb = await numberOf(target, look);
  return mb >= least ? `${mb} MB held` : undefined;
};
export const folderFull = async (target: string, folder: string, least: number): Seen => {
  const mb = await numberOf(target, `du -sm ${folder} | cut -f 1`);
  return mb >= least ? `${mb} MB in ${folder}` : undefined;
};
/** Does a further address of the hosts' network answer? */
export const answering = async (address: string): Seen =>
  (await bed.inside('ping', ['-n', '-c', '2', '-i', '0.2', '-W', '1', address])).code === 0 ? `${address} answers` : undefined;
export const succeeding = async (target: string, command: string, words: string): Seen =>
  (await bed.ssh(target, command)).code === 0 ? words : undefined;
