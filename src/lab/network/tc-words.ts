/** The options of netem and tbf as tc(8) reads them. What the lab does not have is refused in the words of iproute2. */
import type { Shape } from './qdisc.ts';

/** What tc would say on stderr, and its exit status: 1 for what it does not understand, 2 for what the kernel refuses. */
export class TcRefusal extends Error {
  override readonly name = 'TcRefusal';
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2) {
    super(message);
    this.exitCode = exitCode;
  }
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
    if (word === undefined) throw new TcRefusal('Command line is not complete. Try option "help"', 1);
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
    if (option === 'limit') words.need();
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

/** Throws {@link TcRefusal}. */
export function parseTbf(words: Words): Shape {
  let rate: number | undefined;
  for (let option = words.take(); option !== undefined; option = words.take()) {
    const value = words.need();
    if (option === 'rate') rate = quantity(value, rateUnits, 'rate');
    else if (!['burst', 'buffer', 'maxburst', 'latency', 'limit'].includes(option)) throw new TcRefusal(`What is "${option}"?`, 1);
  }
  if (rate === undefined || rate === 0) throw new TcRefusal('"rate" is required.', 1);
  return { delay: 0, jitter: 0, loss: 0, rate };
}
