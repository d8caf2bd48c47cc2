/** `tc filter add` on a lab host: u32 filters of a prio qdisc, with the answers of iproute2 and the kernel. */
import { isIPv4, isIPv6 } from 'node:net';
import { type Filter, labInterface, type Qdisc, type Qdiscs } from './qdisc.ts';
import { checkDevice, handleOf, parseClass } from './tc-qdisc.ts';
import { kernel, TcRefusal, type Words } from './tc-words.ts';

interface Asked {
  readonly filter: Filter;
  readonly device: string | undefined;
  readonly kind: string | undefined;
  readonly matched: boolean;
}

/** The filters afterwards; `undefined`: of a device on which nothing stays. Throws {@link TcRefusal}. */
export function addFilter(words: Words, current: Qdiscs): readonly Filter[] | undefined {
  const asked = parseFilter(words);
  const own = checkFilterDevice(asked.device) === labInterface;
  const parent = parentOf(asked.filter.parent, own ? current.qdiscs : []);
  if (asked.kind === undefined) throw refused('Filter kind and protocol must be specified.');
  if (asked.kind !== 'u32') throw refused('TC classifier not found.');
  if (!asked.matched) throw refused('cls_u32: Selector not specified.');
  return own ? [...current.filters, { ...asked.filter, parent }] : undefined;
}

function refused(message: string): TcRefusal {
  return new TcRefusal(`${kernel(message).message}\nWe have an error talking to the kernel`, 2);
}

function checkFilterDevice(device: string | undefined): string {
  if (device === undefined) throw new TcRefusal('RTNETLINK answers: No such device\nWe have an error talking to the kernel', 2);
  return checkDevice(device);
}

/** The handle of the qdisc that sorts by it; without one the root's. */
function parentOf(handle: string, qdiscs: readonly Qdisc[]): string {
  const qdisc = qdiscs.find((one) => (handle === '' ? one.parent === 'root' : one.handle === handle));
  if (qdisc === undefined) throw refused(handle === '' ? 'Qdisc not classful.' : "Parent Qdisc doesn't exists.");
  if (qdisc.kind !== 'prio') throw refused("Class doesn't support blocks.");
  return qdisc.handle;
}

function parseFilter(words: Words): Asked {
  let filter: Filter = { parent: '', pref: 49_152, flowid: '', possible: true };
  let device: string | undefined;
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'dev') device = words.need();
    else if (word === 'root') filter = { ...filter, parent: '' };
    else if (word === 'parent') filter = { ...filter, parent: handleOf(words.need(), 'parent ID') ?? '' };
    else if (word === 'protocol') filter = { ...filter, possible: isIp(words.need()) };
    else if (word === 'pref' || word === 'prio') filter = { ...filter, pref: preference(words.need()) };
    else if (word !== 'u32') return unknownKind(word, words, { filter, device });
    else return { device, kind: word, ...parseU32(words, filter) };
  }
  return { filter, device, kind: undefined, matched: false };
}

function unknownKind(kind: string, words: Words, { filter, device }: Pick<Asked, 'filter' | 'device'>): Asked {
  if (words.next === undefined) return { filter, device, kind, matched: false };
  throw new TcRefusal(`Unknown filter "${kind}", hence option "${words.next}" is unparsable`, 1);
}

function isIp(protocol: string): boolean {
  if (!['ip', 'ipv4', 'ipv6', 'arp', 'all', '802.1q'].includes(protocol.toLowerCase()))
    throw new TcRefusal(`Error: argument "${protocol}" is wrong: invalid protocol`, 255);
  return ['ip', 'ipv4', 'all'].includes(protocol.toLowerCase());
}

function preference(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new TcRefusal(`Error: argument "${text}" is wrong: invalid priority value`, 255);
  return Number(text);
}

const illegal = (what = 'match'): TcRefusal => new TcRefusal(`Illegal "${what}"`, 1);

function parseU32(words: Words, before: Filter): Pick<Asked, 'filter' | 'matched'> {
  let filter = before;
  let matched = false;
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'flowid' || word === 'classid') {
      const flowid = parseClass(words.need());
      if (flowid === undefined) throw illegal('classid');
      filter = { ...filter, flowid };
    } else if (word === 'match') {
      filter = { ...filter, ...parseMatch(words, filter) };
      matched = true;
    } else throw new TcRefusal(`What is "${word}"?\nUsage: ... u32 [ match SELECTOR ... ] [ classid CLASSID ]`, 1);
  }
  return { filter, matched };
}

function parseMatch(words: Words, filter: Filter): Partial<Filter> {
  const family = words.need();
  const what = words.need();
  // Where a value or a mask is missing, iproute2 says that it is illegal.
  const value = words.take() ?? '';
  if (family === 'u32' && what === '0' && value === '0') return {};
  if (family === 'u8') {
    if (words.take() === 'at') words.need();
    return { possible: false };
  }
  if (family !== 'ip' && family !== 'ip6') throw illegal();
  if (what === 'src' || what === 'dst') {
    if (!isPrefix(value, family)) throw illegal();
    if (family === 'ip6') return { possible: false };
    return what === 'src' ? { source: value } : { destination: value };
  }
  const number = whole(value);
  whole(words.take() ?? ''); // the mask
  if (family === 'ip6') return { possible: false };
  if (what === 'protocol') return { possible: filter.possible && number === 6 };
  if (what === 'sport' || what === 'dport') return { [what]: number };
  throw illegal();
}

function isPrefix(text: string, family: 'ip' | 'ip6'): boolean {
  const [address = '', bits = '0', ...more] = text.split('/');
  const [known, most] = family === 'ip' ? [isIPv4(address), 32] : [isIPv6(address), 128];
  return known && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
}

function whole(text: string): number {
  if (!/^(?:0x[0-9a-f]{1,4}|\d{1,5})$/i.test(text) || Number(text) > 65_535) throw illegal();
  return Number(text);
}
