/** The options of netem and tbf as tc(8) reads them. What the lab does not have is refused in the words of iproute2. */
import type { Shape } from './qdisc.ts';

/**
 * What tc would say on stderr, and its exit status: 1 for options that it does not understand, 2 for what the kernel refuses, 255 for a command that
 * is not complete or not known at all.
 */
export class TcRefusal extends Error {
  override readonly name = 'TcRefusal';
  readonly exitCode: 1 | 2 | 255;

  constructor(message: string, exitCode: 1 | 2 | 255) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What the kernel refuses. */
export function kernel(message: string): TcRefusal {
  return new TcRefusal(`Error: ${message}`, 2);
}

/** Takes words from the front of a list. */
export class Words {
  readonly #words: string[];

  constructor(words: readonly string[]) {
    this.#words = [...words];
  }

  get next(): string | undefined {
    return this.#words[0];
  }

  take(): string | undefined {
    return this.#words.shift();
  }

  /** Throws where the command ends too early, as tc does. */
  need(): string {
    const word = this.take();
    if (word === undefined) throw new TcRefusal('Command line is not complete. Try option "help"', 255);
    return word;
  }

  rest(): string {
    return this.#words.join(' ');
  }
}

const timeUnits: Readonly<Record<string, number>> = {
  '': 1e-3,
  us: 1e-3,
  usec: 1e-3,
  usecs: 1e-3,
  ms: 1,
  msec: 1,
  msecs: 1,
  s: 1e3,
  sec: 1e3,
  secs: 1e3,
};
const rateUnits: Readonly<Record<string, number>> = {
  '': 1 / 8,
  bit: 1 / 8,
  kbit: 1e3 / 8,
  mbit: 1e6 / 8,
  gbit: 1e9 / 8,
  bps: 1,
  kbps: 1e3,
  mbps: 1e6,
  gbps: 1e9,
};
const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1_024,
  kb: 1_024,
  m: 1_024 ** 2,
  mb: 1_024 ** 2,
  kbit: 128,
  mbit: 131_072,
};
const usage =
  'Usage: ... netem [ limit PACKETS ]\n\t\t[ delay TIME [ JITTER [CORRELATION]]]\n\t\t[ loss random PERCENT [CORRELATION]]\n\t\t[ rate RATE ]';

function quantity(text: string, units: Readonly<Record<string, number>>, name: string): number {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)([a-z]*)$/i.exec(text) ?? [];
  const factor = units[unit.toLowerCase()];
  if (amount === '' || factor === undefined) throw new TcRefusal(`Illegal "${name}"`, 1);
  return Number(amount) * factor;
}

function share(text: string, name: string): number {
  const [, amount = ''] = /^(\d+(?:\.\d+)?)%?$/.exec(text) ?? [];
  if (amount === '' || Number(amount) > 100) throw new TcRefusal(`Illegal "${name}"`, 1);
  return Number(amount) / 100;
}

const isNumber = (word: string | undefined): boolean => word !== undefined && /^\d/.test(word);

/** Throws {@link TcRefusal}. */
export function parseNetem(words: Words): Shape {
  let shape: Shape = { delay: 0, jitter: 0, loss: 0 };
  for (let option = words.take(); option !== undefined; option = words.take()) {
    if (option === 'limit') counted(words.need(), 'limit');
    else if (option === 'delay' || option === 'latency') shape = { ...shape, ...parseDelay(words) };
    else if (option === 'loss' || option === 'drop') shape = { ...shape, loss: parseLoss(words) };
    else if (option === 'rate') shape = { ...shape, rate: quantity(words.need(), rateUnits, 'rate') };
    else if (option === 'distribution') {
      const name = words.need();
      throw new TcRefusal(`No distribution data for ${name} (/usr/lib/tc//${name}.dist: No such file or directory)`, 1);
    } else throw new TcRefusal(`What is "${option}"?\n${usage}`, 1);
  }
  return shape;
}

function parseDelay(words: Words): Pick<Shape, 'delay' | 'jitter'> {
  const delay = quantity(words.need(), timeUnits, 'latency');
  if (!isNumber(words.next)) return { delay, jitter: 0 };
  const jitter = quantity(words.need(), timeUnits, 'jitter');
  // The correlation of neighbours: taken, as a single TCP stream hides it.
  if (isNumber(words.next)) share(words.need(), 'latency');
  return { delay, jitter };
}

function parseLoss(words: Words): number {
  if (words.next === 'random') words.take();
  const loss = share(words.need(), 'loss percent');
  if (isNumber(words.next)) share(words.need(), 'loss correllation');
  return loss;
}

function counted(text: string, name: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TcRefusal(`Illegal "${name}"`, 1);
  return Number(text);
}

const tbfUsage = 'Usage: ... tbf limit BYTES burst BYTES rate KBPS [ latency TIME ]';
const tbfNames: Readonly<Record<string, string>> = { buffer: 'burst', maxburst: 'burst' };

/** Throws {@link TcRefusal}. */
export function parseTbf(words: Words): Shape {
  const given = new Map<string, number>();
  for (let option = words.take(); option !== undefined; option = words.take()) {
    const name = tbfNames[option] ?? option;
    if (!['rate', 'burst', 'latency', 'limit'].includes(name)) throw new TcRefusal(`tbf: unknown parameter "${option}"\n${tbfUsage}`, 1);
    const text = words.need();
    if (given.has(name)) throw new TcRefusal(`tbf: duplicate "${name}" specification`, 1);
    if ((name === 'limit' && given.has('latency')) || (name === 'latency' && given.has('limit')))
      throw new TcRefusal('tbf: specifying both "latency" and "limit" is not allowed', 1);
    given.set(name, tbfValue(name, text));
  }
  const rate = given.get('rate') ?? 0;
  const missing = [
    ...(rate > 0 ? [] : ['tbf: the "rate" parameter is mandatory.']),
    ...((given.get('burst') ?? 0) > 0 ? [] : ['tbf: the "burst" parameter is mandatory.']),
    ...(given.has('latency') || given.has('limit') ? [] : ['tbf: either "limit" or "latency" is required.']),
  ];
  if (missing.length > 0) throw new TcRefusal([...missing, tbfUsage].join('\n'), 1);
  return { delay: 0, jitter: 0, loss: 0, rate };
}

function tbfValue(name: string, text: string): number {
  try {
    if (name === 'rate') return quantity(text, rateUnits, name);
    return quantity(text, name === 'latency' ? timeUnits : sizeUnits, name);
  } catch {
    throw new TcRefusal(`tbf: illegal value for "${name}": "${text}"`, 1);
  }
}

const mostBands = 16;
const usualPriomap = [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1];

/** How many bands. Throws {@link TcRefusal}. */
export function parsePrio(words: Words): number {
  let bands = 3;
  let priomap: number[] | undefined;
  for (let option = words.take(); option !== undefined; option = words.take()) {
    if (option === 'bands') bands = counted(words.need(), 'bands');
    else if (option === 'priomap') priomap = [];
    else if (priomap === undefined)
      throw new TcRefusal(`What is "${option}"?\nUsage: ... prio bands NUMBER priomap P1 P2...[multiqueue]`, 1);
    else {
      if (!/^\d+$/.test(option)) throw new TcRefusal('Illegal "priomap" element', 1);
      if (Number(option) > bands) throw new TcRefusal('"priomap" element is out of bands', 1);
      priomap.push(Number(option));
      if (priomap.length > usualPriomap.length) throw new TcRefusal('"priomap" index > TC_PRIO_MAX=15', 1);
    }
  }
  const used = usualPriomap.map((band, index) => priomap?.[index] ?? band);
  if (bands < 2 || bands > mostBands || used.some((band) => band >= bands)) throw new TcRefusal('RTNETLINK answers: Invalid argument', 2);
  return bands;
}
