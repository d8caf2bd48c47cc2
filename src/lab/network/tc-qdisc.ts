/**
 * `tc qdisc add | change | replace | del` on a lab host: what the kernel (net/sched/sch_api.c) makes of it, with its answers. Tried against iproute2
 * 6.1 on Linux 7.2.
 */
import { labInterface, type Qdisc } from './qdisc.ts';
import { kernel, parseNetem, parsePrio, parseTbf, TcRefusal, type Words } from './tc-words.ts';

export type Verb = 'add' | 'change' | 'replace' | 'del';

/** What stands between the verb and the options. */
interface Asked {
  readonly device: string | undefined;
  /** `root`, `ingress` or a class: `1:4`. */
  readonly parent: string | undefined;
  /** `1:`; absent also for 0, which lets the kernel choose. */
  readonly handle: string | undefined;
  readonly kind: string | undefined;
}

type Parsed = Pick<Qdisc, 'kind' | 'shape' | 'bands' | 'options'>;

/** The qdiscs afterwards; `undefined`: of a device on which nothing stays. Throws {@link TcRefusal}. */
export function changeQdiscs(verb: Verb, words: Words, current: readonly Qdisc[]): readonly Qdisc[] | undefined {
  const asked = parseAsked(words);
  const parsed = asked.kind === undefined ? undefined : parseOptions(asked.kind, words);
  const own = checkDevice(asked.device) === labInterface;
  // Where others try what the kernel takes, as in a network of its own: there is never anything there.
  const qdiscs = own ? current : [];
  const next = verb === 'del' ? removed(asked, qdiscs) : modified(verb, asked, parsed, qdiscs);
  return own ? next : undefined;
}

function parseAsked(words: Words): Asked {
  let asked: Asked = { device: undefined, parent: undefined, handle: undefined, kind: undefined };
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'dev') asked = { ...asked, device: words.need() };
    else if (word === 'handle') asked = { ...asked, handle: handleOf(words.need()) };
    else if (word === 'root') asked = { ...asked, parent: 'root' };
    else if (word === 'parent') asked = { ...asked, parent: classOf(words.need()) };
    else if (word === 'ingress' || word === 'clsact') return { ...asked, parent: 'ingress', kind: word };
    else return { ...asked, kind: word };
  }
  return asked;
}

/** @throws {TcRefusal} for one that is not there. */
export function checkDevice(device: string | undefined): string {
  if (device === undefined) throw new TcRefusal('RTNETLINK answers: No such device', 2);
  if (device !== labInterface && device !== 'lo') throw new TcRefusal(`Cannot find device "${device}"`, 1);
  return device;
}

/** `1:`, `c4a0:4` (the minor is not looked at) and `1` are hexadecimal. */
export function handleOf(text: string, what = 'qdisc ID'): string | undefined {
  const [, major = ''] = /^([0-9a-f]{1,8})(?::.*)?$/i.exec(text) ?? [];
  const number = Number.parseInt(major, 16);
  if (!(number <= 0xffff)) throw new TcRefusal(`Error: argument "${text}" is wrong: invalid ${what}`, 255);
  return number === 0 ? undefined : `${number.toString(16)}:`;
}

/** A class, `1:4`; `undefined` where it is none. A number without a colon is a class of no qdisc. */
export function parseClass(text: string): string | undefined {
  const [whole, major = '', minor] = /^([0-9a-f]{0,4})(?::([0-9a-f]{0,4}))?$/i.exec(text) ?? [];
  if (whole === undefined || whole === '') return undefined;
  const hex = (digits: string): string => Number.parseInt(digits || '0', 16).toString(16);
  return minor === undefined ? `0:${hex(major)}` : `${hex(major)}:${hex(minor)}`;
}

function classOf(text: string): string {
  if (text === 'root') return 'root';
  const id = parseClass(text);
  if (id === undefined) throw new TcRefusal(`Error: argument "${text}" is wrong: invalid parent ID`, 255);
  return id;
}

function parseOptions(kind: string, words: Words): Parsed | undefined {
  const options = words.rest();
  if (kind === 'prio') return { kind, options, bands: parsePrio(words) };
  if (kind === 'netem') return { kind, options, shape: parseNetem(words) };
  if (kind === 'tbf') return { kind, options, shape: parseTbf(words) };
  return undefined;
}

function modified(verb: Exclude<Verb, 'del'>, asked: Asked, parsed: Parsed | undefined, qdiscs: readonly Qdisc[]): readonly Qdisc[] {
  const { parent, handle, kind } = asked;
  const named = handle === undefined ? undefined : qdiscs.find((one) => one.handle === handle);
  if (parent === undefined) {
    if (handle === undefined) throw kernel('Handle cannot be zero.');
    if (named === undefined) throw kernel('Specified qdisc not found.');
    return changed(verb, named, asked, parsed, qdiscs);
  }
  if (parent === 'ingress') throw kernel('Specified qdisc kind is unknown.');
  findClass(parent, qdiscs, 'Failed to find specified qdisc.');
  const there = qdiscs.find((one) => one.parent === parent);
  if (handle !== undefined && there?.handle !== handle) {
    if (there !== undefined && verb !== 'replace') throw kernel('NLM_F_REPLACE needed to override.');
    if (named !== undefined) throw kernel('Cannot move an existing qdisc to a different parent.');
    return grafted(verb, parent, handle, parsed, qdiscs);
  }
  if (there === undefined) return grafted(verb, parent, handle, parsed, qdiscs);
  // Without a handle another kind means another qdisc, whatever the verb.
  if (handle === undefined && kind !== undefined && kind !== there.kind) return grafted('replace', parent, undefined, parsed, qdiscs);
  return changed(verb, there, asked, parsed, qdiscs);
}

function grafted(
  verb: Exclude<Verb, 'del'>,
  parent: string,
  handle: string | undefined,
  parsed: Parsed | undefined,
  qdiscs: readonly Qdisc[],
): readonly Qdisc[] {
  if (verb === 'change') throw kernel('Qdisc not found. To create specify NLM_F_CREATE flag.');
  if (parsed === undefined) throw kernel('Specified qdisc kind is unknown.');
  const others = parent === 'root' ? [] : qdiscs.filter((one) => one.parent !== parent);
  return [...others, { ...parsed, parent, handle: handle ?? freeHandle(qdiscs) }];
}

function changed(
  verb: Exclude<Verb, 'del'>,
  there: Qdisc,
  { kind }: Asked,
  parsed: Parsed | undefined,
  qdiscs: readonly Qdisc[],
): readonly Qdisc[] {
  if (verb === 'add') throw kernel('Exclusivity flag on, cannot modify.');
  if (kind !== undefined && kind !== there.kind) throw kernel('Invalid qdisc name: must match existing qdisc.');
  if (parsed === undefined) return qdiscs;
  const { bands = 0 } = parsed;
  // Bands that are gone take what hangs on them along.
  const stays = ({ parent }: Qdisc): boolean => !parent.startsWith(there.handle) || minorOf(parent) <= bands;
  return qdiscs.map((one) => (one === there ? { ...parsed, parent: there.parent, handle: there.handle } : one)).filter(stays);
}

function removed({ parent, handle, kind }: Asked, qdiscs: readonly Qdisc[]): readonly Qdisc[] {
  if (parent === undefined) {
    const named = qdiscs.find((one) => one.handle === handle);
    if (named === undefined) throw kernel('Failed to find qdisc with specified handle.');
    throw kernel('Classid cannot be zero.');
  }
  if (parent === 'ingress') throw kernel('Cannot find specified qdisc on specified device.');
  findClass(parent, qdiscs, 'Failed to find qdisc with specified classid.');
  const there = qdiscs.find((one) => one.parent === parent);
  if (handle !== undefined && there?.handle !== handle) throw kernel('Invalid handle.');
  if (kind !== undefined && kind !== there?.kind) throw kernel('Invalid qdisc name: must match existing qdisc.');
  if (there === undefined) throw kernel('Cannot delete qdisc with handle of zero.');
  return parent === 'root' ? [] : qdiscs.filter((one) => one !== there);
}

function findClass(parent: string, qdiscs: readonly Qdisc[], missing: string): void {
  if (parent === 'root') return;
  const owner = qdiscs.find(({ handle }) => parent.startsWith(handle));
  if (owner === undefined) throw kernel(missing);
  const minor = minorOf(parent);
  if (minor < 1 || minor > (owner.bands ?? 0)) throw kernel('Specified class not found.');
}

function minorOf(id: string): number {
  return Number.parseInt(id.slice(id.indexOf(':') + 1) || '0', 16);
}

function freeHandle(qdiscs: readonly Qdisc[]): string {
  for (let number = 0x8001; ; number++) {
    const handle = `${number.toString(16)}:`;
    if (!qdiscs.some((one) => one.handle === handle)) return handle;
  }
}
