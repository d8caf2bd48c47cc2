/** What `tc` does on a lab host: prints and changes its {@link Qdiscs}. What the lab does not have is refused in the words of iproute2. */
import { type Counts, labInterface, type Qdisc, type Qdiscs } from './qdisc.ts';
import { addFilter } from './tc-filter.ts';
import { changeQdiscs, checkDevice, type Verb } from './tc-qdisc.ts';
import { TcRefusal, Words } from './tc-words.ts';

export interface TcAnswer {
  readonly stdout: string;
  /** What is kept from now on; absent: nothing changes. */
  readonly next?: Pick<Qdiscs, 'qdiscs' | 'filters'>;
}

const usage = 'Usage: tc [ OPTIONS ] OBJECT { COMMAND | help }\nwhere  OBJECT := { qdisc | filter }\n';
const qdiscUsage =
  'Usage: tc qdisc [ add | del | replace | change | show ] dev STRING\n       [ handle QHANDLE ] [ root | parent CLASSID ] [ QDISC_KIND ]\n';
const filterUsage = 'Usage: tc filter [ add | show ] dev STRING [ parent CLASSID ] protocol PROTO [ pref PRIO ] u32 OPTIONS\n';

/** Throws {@link TcRefusal}. */
export function runTc(args: readonly string[], current: Qdiscs, counts: Counts | undefined): TcAnswer {
  const words = new Words(args);
  let statistics = false;
  while (words.next?.startsWith('-') === true) {
    const option = words.take() ?? '';
    if (option === '-V' || option === '-Version') return { stdout: "tc utility, the lab's stand-in for iproute2\n" };
    if (['-s', '-stats', '-statistics'].includes(option)) statistics = true;
    else if (!['-d', '-details', '-n', '-p'].includes(option)) throw new TcRefusal(`Option "${option}" is unknown, try "tc -help".`, 255);
  }
  const object = words.take() ?? 'help';
  if (object === 'help') return { stdout: usage };
  if (object === 'qdisc') return qdiscCommand(words, current, statistics ? (counts ?? noCounts) : undefined);
  if (object === 'filter') return filterCommand(words, current);
  throw new TcRefusal(`Object "${object}" is unknown, try "tc help".`, 255);
}

const noCounts: Counts = { serial: '', bytes: 0, packets: 0, dropped: 0 };
const verbs: Readonly<Record<string, Verb>> = { add: 'add', replace: 'replace', change: 'change', del: 'del', delete: 'del' };

function qdiscCommand(words: Words, current: Qdiscs, counts: Counts | undefined): TcAnswer {
  const word = words.take() ?? 'show';
  if (['show', 'list', 'ls'].includes(word)) return { stdout: show(words, current, counts) };
  if (word === 'help') return { stdout: qdiscUsage };
  const verb = verbs[word];
  if (verb === undefined) throw new TcRefusal(`Command "${word}" is unknown, try "tc qdisc help".`, 255);
  const qdiscs = changeQdiscs(verb, words, current.qdiscs);
  if (qdiscs === undefined) return { stdout: '' };
  const handles = new Set(qdiscs.map(({ handle }) => handle));
  return { stdout: '', next: { qdiscs: [...qdiscs], filters: current.filters.filter(({ parent }) => handles.has(parent)) } };
}

function show(words: Words, { serial, qdiscs }: Qdiscs, counts: Counts | undefined): string {
  let device: string | undefined;
  for (let word = words.take(); word !== undefined; word = words.take()) {
    if (word === 'dev') device = words.need();
    else if (word !== 'root' && word !== 'invisible') throw new TcRefusal(`What is "${word}"? Try "tc qdisc help".`, 255);
  }
  if (device !== undefined) checkDevice(device);
  const own = device === 'lo' || qdiscs.length === 0 ? [unshaped] : qdiscs;
  const { bytes, packets, dropped } = counts?.serial === serial ? counts : noCounts;
  const told = ` Sent ${bytes} bytes ${packets} pkt (dropped ${dropped}, overlimits 0 requeues 0)\n backlog 0b 0p requeues 0\n`;
  return own
    .map((qdisc) => `${line(qdisc, device === undefined ? ` dev ${labInterface}` : '')}\n${counts === undefined ? '' : told}`)
    .join('');
}

type Shown = Pick<Qdisc, 'handle' | 'parent' | 'options'> & { readonly kind: string };

/** What a device has to whom nothing was done. */
const unshaped: Shown = { kind: 'noqueue', handle: '0:', parent: 'root', options: '' };

function line({ kind, handle, parent, options }: Shown, device: string): string {
  return `qdisc ${kind} ${handle}${device} ${parent === 'root' ? 'root refcnt 2' : `parent ${parent}`} ${options}`.trimEnd();
}

function filterCommand(words: Words, current: Qdiscs): TcAnswer {
  const verb = words.take() ?? 'show';
  if (verb === 'help') return { stdout: filterUsage };
  if (['show', 'list', 'ls'].includes(verb))
    return {
      stdout: current.filters.map((one) => `filter parent ${one.parent} protocol ip pref ${one.pref} u32 flowid ${one.flowid}\n`).join(''),
    };
  if (verb !== 'add') throw new TcRefusal(`Command "${verb}" is unknown, try "tc filter help".`, 255);
  const filters = addFilter(words, current);
  return filters === undefined ? { stdout: '' } : { stdout: '', next: { qdiscs: current.qdiscs, filters: [...filters] } };
}
