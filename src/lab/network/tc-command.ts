/** What `tc` does on a lab host: prints and changes its {@link Qdiscs}. What the lab does not have is refused in the words of iproute2. */
import { type Counts, type Filter, labInterface, none, type Qdisc, type Qdiscs } from './qdisc.ts';
import { parseNetem, parseTbf, TcRefusal, Words } from './tc-words.ts';

export interface TcAnswer {
  readonly stdout: string;
  /** What is kept from now on; absent: nothing changes. */
  readonly next?: Pick<Qdiscs, 'qdiscs' | 'filters'>;
}

/** Throws {@link TcRefusal}. */
export function runTc(args: readonly string[], current: Qdiscs, counts: Counts | undefined): TcAnswer {
  const words = new Words(args);
  let statistics = false;
  while (words.next?.startsWith('-') === true) {
    const option = words.take() ?? '';
    if (option === '-V' || option === '-Version') return { stdout: "tc utility, the lab's stand-in for iproute2\n" };
    if (['-s', '-stats', '-statistics'].includes(option)) statistics = true;
    else if (!['-d', '-details', '-n', '-p'].includes(option)) throw new TcRefusal(`Option "${option}" is unknown, try "tc -help".`, 1);
  }
  const object = words.need();
  if (object === 'qdisc') return qdiscCommand(words, current, statistics ? (counts ?? noCounts) : undefined);
  if (object === 'filter') return filterCommand(words, current);
  throw new TcRefusal(`Object "${object}" is unknown, try "tc help".`, 1);
}

const noCounts: Counts = { serial: '', bytes: 0, packets: 0, dropped: 0 };

function qdiscCommand(words: Words, current: Qdiscs, counts: Counts | undefined): TcAnswer {
  const verb = words.take() ?? 'show';
  if (['show', 'list', 'ls'].includes(verb)) return { stdout: show(words, current, counts) };
  if (!['add', 'replace', 'change', 'del', 'delete'].includes(verb))
    throw new TcRefusal(`Command "${verb}" is unknown, try "tc qdisc help".`, 1);
  const device = takeDevice(words);
  // Where others try what the kernel takes: nothing of it stays, as in a network that is gone with the command.
  const known = device === 'lo' ? none : current;
  const qdiscs = verb.startsWith('del') ? removed(words, known) : added(words, known, verb === 'add');
  if (device === 'lo') return { stdout: '' };
  const handles = new Set(qdiscs.map(({ handle }) => handle));
  return { stdout: '', next: { qdiscs, filters: current.filters.filter(({ parent }) => handles.has(parent)) } };
}

function show(words: Words, { serial, qdiscs }: Qdiscs, counts: Counts | undefined): string {
  const device = words.next === 'dev' ? takeDevice(words) : undefined;
  const own = device === 'lo' || qdiscs.length === 0 ? [unshaped] : qdiscs;
  const { bytes, packets, dropped } = counts?.serial === serial ? counts : noCounts;
  const told = ` Sent ${bytes} bytes ${packets} pkt (dropped ${dropped}, overlimits 0 requeues 0)\n backlog 0b 0p requeues 0\n`;
  return own
    .map((qdisc) => `${line(qdisc, device === undefined ? ` dev ${labInterface}` : '')}\n${counts === undefined ? '' : told}`)
    .join('');
}

/** What a device has to whom nothing was done. */
const unshaped = { kind: 'noqueue', handle: '0:', parent: 'root', options: '' };

function line({ kind, handle, parent, options }: typeof unshaped, device: string): string {
  return `qdisc ${kind} ${handle}${device} ${parent === 'root' ? 'root refcnt 2' : `parent ${parent}`} ${options}`.trimEnd();
}

function takeDevice(words: Words): string {
  if (words.next !== 'dev') throw new TcRefusal('Command line is not complete. Try option "help"', 1);
  words.take();
  const device = words.need();
  if (device !== labInterface && device !== 'lo') throw new TcRefusal(`Cannot find device "${device}"`, 1);
  return device;
}

/** `root`, or `parent X`; the ingress side is not there. */
function takePlace(words: Words): string {
  const word = words.need();
  if (word === 'root') return 'root';
  if (word === 'parent') return words.need();
  if (word === 'handle') words.take();
  if (word === 'ingress' || word === 'clsact' || word === 'handle') throw new TcRefusal('Error: Specified qdisc kind is unknown.', 2);
  throw new TcRefusal(`What is "${word}"?`, 1);
}

function removed(words: Words, { qdiscs }: Qdiscs): Qdisc[] {
  const place = words.next === 'ingress' ? 'ingress' : takePlace(words);
  if (!qdiscs.some(({ parent }) => parent === place)) throw new TcRefusal('Error: Cannot delete qdisc with handle of zero.', 2);
  return place === 'root' ? [] : qdiscs.filter(({ parent }) => parent !== place);
}

function added(words: Words, { qdiscs }: Qdiscs, exclusive: boolean): Qdisc[] {
  const parent = takePlace(words);
  const given = takeHandle(words);
  const kind = words.need();
  const options = words.rest();
  const shape = shapeOfKind(kind, words);
  if (parent !== 'root' && !qdiscs.some((one) => one.kind === 'prio' && parent.startsWith(one.handle)))
    throw new TcRefusal('Error: Failed to find specified qdisc.', 2);
  if (exclusive && qdiscs.some((one) => one.parent === parent)) throw new TcRefusal('Error: Exclusivity flag on, cannot modify.', 2);
  const handle = given === undefined ? '8001:' : given.replace(/:?$/, ':');
  const others = parent === 'root' ? [] : qdiscs.filter((one) => one.parent !== parent);
  return [...others, { ...shape, handle, parent, options }];
}

function takeHandle(words: Words): string | undefined {
  if (words.next !== 'handle') return undefined;
  words.take();
  return words.need();
}

function shapeOfKind(kind: string, words: Words): Pick<Qdisc, 'kind' | 'shape'> {
  if (kind === 'prio') return { kind };
  if (kind === 'netem') return { kind, shape: parseNetem(words) };
  if (kind === 'tbf') return { kind, shape: parseTbf(words) };
  throw new TcRefusal('Error: Specified qdisc kind is unknown.', 2);
}

function filterCommand(words: Words, current: Qdiscs): TcAnswer {
  const verb = words.take() ?? 'show';
  if (['show', 'list', 'ls'].includes(verb))
    return {
      stdout: current.filters.map((one) => `filter parent ${one.parent} protocol ip pref ${one.pref} u32 flowid ${one.flowid}\n`).join(''),
    };
  if (verb !== 'add') throw new TcRefusal(`Command "${verb}" is unknown, try "tc filter help".`, 1);
  takeDevice(words);
  const filter = parseFilter(words);
  if (!current.qdiscs.some(({ kind, handle }) => kind === 'prio' && handle === filter.parent))
    throw new TcRefusal('Error: Specified qdisc not found.', 2);
  return { stdout: '', next: { qdiscs: current.qdiscs, filters: [...current.filters, filter] } };
}

function parseFilter(words: Words): Filter {
  let filter: Filter = { parent: '', pref: 49_152, flowid: '', possible: true };
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'parent') filter = { ...filter, parent: words.need().replace(/:?$/, ':') };
    else if (word === 'protocol') filter = { ...filter, possible: words.need() === 'ip' && filter.possible };
    else if (word === 'pref' || word === 'prio') filter = { ...filter, pref: whole(words.need()) };
    else if (word === 'flowid' || word === 'classid') filter = { ...filter, flowid: words.need() };
    else if (word === 'match') filter = { ...filter, ...parseMatch(words, filter) };
    else if (word !== 'u32') throw new TcRefusal(`Unknown filter "${word}", hence option "${words.next ?? ''}" is unparsable`, 1);
  }
  if (!/:\d+$/.test(filter.flowid)) throw new TcRefusal('Illegal "match"', 1);
  return filter;
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TcRefusal('Illegal "match"', 1);
  return Number(text);
}

function parseMatch(words: Words, filter: Filter): Partial<Filter> {
  const family = words.need();
  const what = words.need();
  const value = words.need();
  if (family === 'u32' && what === '0' && value === '0') return {};
  if (family === 'u8') {
    if (words.take() === 'at') words.need();
    return { possible: false };
  }
  if (family !== 'ip' && family !== 'ip6') throw new TcRefusal('Illegal "match"', 1);
  const address = what === 'src' || what === 'dst';
  if (!address) words.need(); // the mask
  if (family === 'ip6') return { possible: false };
  if (address) return what === 'src' ? { source: value } : { destination: value };
  if (what === 'protocol') return { possible: filter.possible && Number(value) === 6 };
  if (what === 'sport' || what === 'dport') return { [what]: whole(value) };
  throw new TcRefusal('Illegal "match"', 1);
}
