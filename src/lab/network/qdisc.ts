/**
 * The queueing disciplines of a lab host, as far as the lab has them: prio with u32 filters, netem (delay, jitter, loss, rate) and tbf. Kept in
 * a file in the host's home that its `tc` writes and its links read.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { BlockList, isIPv4 } from 'node:net';
import * as z from 'zod';

/** The one interface of a lab host; everybody else is behind it. */
export const labInterface = 'lab0';

/** What happens to a packet on its way. */
export const Shape = z.strictObject({
  /** ms, one way. */
  delay: z.number().min(0).default(0),
  /** ms around `delay`, uniform. */
  jitter: z.number().min(0).default(0),
  /** 0 to 1. */
  loss: z.number().min(0).max(1).default(0),
  /** Bytes a second; absent: as fast as it goes. */
  rate: z.number().gt(0).optional(),
});
export type Shape = z.infer<typeof Shape>;

const Qdisc = z.strictObject({
  kind: z.enum(['prio', 'netem', 'tbf']),
  /** `8001:`. */
  handle: z.string(),
  /** `root`, or the class it hangs on: `8001:4`. */
  parent: z.string(),
  /** Its options as they were given. */
  options: z.string(),
  /** Absent for prio, which only sorts. */
  shape: Shape.optional(),
  /** Of prio: classes 1 to that many. */
  bands: z.int().optional(),
});
export type Qdisc = z.infer<typeof Qdisc>;

const Filter = z.strictObject({
  parent: z.string(),
  pref: z.int(),
  flowid: z.string(),
  /** False: of a family or protocol that no packet of the lab is. */
  possible: z.boolean(),
  source: z.string().optional(),
  destination: z.string().optional(),
  sport: z.int().optional(),
  dport: z.int().optional(),
});
export type Filter = z.infer<typeof Filter>;

export const Qdiscs = z.strictObject({
  /** Another one after every change of the qdiscs; what was counted belongs to it. */
  serial: z.string(),
  qdiscs: z.array(Qdisc),
  filters: z.array(Filter),
});
export type Qdiscs = z.infer<typeof Qdiscs>;

/** Packets that went through a shape, and those of them that were lost. */
export const Counts = z.strictObject({ serial: z.string(), bytes: z.int(), packets: z.int(), dropped: z.int() });
export type Counts = z.infer<typeof Counts>;

export const none: Qdiscs = { serial: '', qdiscs: [], filters: [] };

/** {@link none} when the file is not there or makes no sense: then nothing is shaped. */
export function readQdiscs(file: string): Qdiscs {
  return readJson(file, Qdiscs) ?? none;
}

export function readCounts(file: string): Counts | undefined {
  return readJson(file, Counts);
}

function readJson<T>(file: string, type: z.ZodType<T>): T | undefined {
  let descriptor: number | undefined;
  try {
    // The host's home belongs to its account: never follow a link laid there, nor wait for a pipe.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    return type.parse(JSON.parse(readFileSync(descriptor, 'utf8')));
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** In one step, so that a link never reads half of it. */
export function writeQdiscs(file: string, { qdiscs, filters }: Omit<Qdiscs, 'serial'>): void {
  replace(file, JSON.stringify({ serial: randomBytes(4).toString('hex'), qdiscs, filters } satisfies Qdiscs));
}

export function writeCounts(file: string, counts: Counts): void {
  replace(file, JSON.stringify(counts));
}

function replace(file: string, text: string): void {
  const next = `${file}.${randomBytes(4).toString('hex')}`;
  writeFileSync(next, `${text}\n`, { flag: 'wx', mode: 0o644 });
  renameSync(next, file);
}

/** All packets of the lab are IPv4 and TCP. */
export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly sport: number;
  readonly dport: number;
}

/** What is done to the packet; `undefined`: nothing. */
export function shapeOf({ qdiscs, filters }: Qdiscs, packet: Packet): Shape | undefined {
  const root = qdiscs.find(({ parent }) => parent === 'root');
  if (root === undefined || root.kind !== 'prio') return root?.shape;
  const sorted = filters.filter(({ parent }) => parent === root.handle).toSorted((a, b) => a.pref - b.pref);
  // What no filter takes goes to the first three bands, where nothing is done to it.
  const flow = sorted.find((filter) => takes(filter, packet))?.flowid;
  return qdiscs.find(({ parent }) => parent === flow)?.shape;
}

function takes({ possible, source, destination, sport, dport }: Filter, packet: Packet): boolean {
  return (
    possible &&
    (source === undefined || within(packet.source, source)) &&
    (destination === undefined || within(packet.destination, destination)) &&
    (sport === undefined || sport === packet.sport) &&
    (dport === undefined || dport === packet.dport)
  );
}

/** `network`: `10.0.0.0/24` or an address. */
function within(address: string, network: string): boolean {
  const [base = '', bits = '32'] = network.split('/');
  if (!isIPv4(base) || !/^\d+$/.test(bits) || Number(bits) > 32) return false;
  const list = new BlockList();
  list.addSubnet(base, Number(bits), 'ipv4');
  return list.check(address);
}
