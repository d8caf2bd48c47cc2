/** A name server on loopback that knows one name (RFC 1035), and one that does not do what it should. */
import { createSocket, type Socket } from 'node:dgram';
import type { WorkingTarget } from './probe-harness.ts';
import type { Act, Stage } from './probe-stage.ts';

export const knownName = 'shop.example';
export const knownAddress = '10.0.0.7';

const codes = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;

/** What a name server says; `undefined` for nothing. */
type Speaker = (question: Buffer) => Buffer | undefined;

/** An answer with one record of type `code`; without `data`, none. A pointer to the name asked for, class IN, no time to live. */
export function recordTo(question: Buffer, code: number, data: Buffer | undefined): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const record = data === undefined ? [] : [0xc0, 0x0c, 0, code, 0, 1, 0, 0, 0, 0, 0, data.length, ...data];
  const reply = Buffer.concat([question.subarray(0, end), Buffer.from(record)]);
  reply.writeUInt16BE(0x8180, 2);
  reply.writeUInt16BE(data === undefined ? 0 : 1, 6);
  reply.writeUInt32BE(0, 8);
  return reply;
}

/** Type A; without an address, no record of the type. */
function answerTo(question: Buffer, address: string | undefined): Buffer {
  return recordTo(question, 1, address === undefined ? undefined : Buffer.from(address.split('.').map(Number)));
}

function refusalTo(question: Buffer, code: number): Buffer {
  const reply = answerTo(question, undefined);
  reply.writeUInt16BE(0x8180 | code, 2);
  return reply;
}

const good: Speaker = (question) => answerTo(question, knownAddress);

const speakers: Readonly<Record<string, readonly [Speaker | undefined, words: RegExp]>> = {
  'refuses connections': [undefined, /^ECONNREFUSED$/],
  hangs: [() => undefined, /^(?:timeout|ETIMEOUT)$/],
  'talks nonsense': [() => Buffer.alloc(400, 0xff), /^(?:timeout|ETIMEOUT|EBADRESP)$/],
  'breaks off in the middle of an answer': [
    (question) => good(question)?.subarray(0, question.length + 6),
    /^(?:timeout|ETIMEOUT|EBADRESP)$/,
  ],
  'answers somebody else': [
    (question) => {
      const reply = answerTo(question, knownAddress);
      reply.writeUInt16BE((reply.readUInt16BE(0) + 1) & 0xffff, 0);
      return reply;
    },
    /^(?:timeout|ETIMEOUT)$/,
  ],
  'does not know the name': [(question) => refusalTo(question, codes.NXDOMAIN), /^ENOTFOUND$/],
  'fails itself': [(question) => refusalTo(question, codes.SERVFAIL), /^ESERVFAIL$/],
  'will not answer us': [(question) => refusalTo(question, codes.REFUSED), /^EREFUSED$/],
  'has no record of the type': [(question) => answerTo(question, undefined), /^ENODATA$/],
  'has another address': [(question) => answerTo(question, '10.9.9.9'), /^another answer$/],
};

const played = new Map<Act, Speaker | undefined>();

export const dnsActs: Readonly<Record<string, Act>> = Object.fromEntries(
  Object.entries(speakers).map(([name, [speaker, words]]) => {
    const act: Act = { on: 'refuses', words };
    played.set(act, speaker);
    return [name, act];
  }),
);

export async function dnsStage(act: Act): Promise<Stage> {
  const speaker = played.get(act);
  let server = await nameServer(speaker ?? (() => undefined));
  const { port } = server;
  if (speaker === undefined) await server[Symbol.asyncDispose]();
  return {
    port,
    good: async () => {
      await server[Symbol.asyncDispose]();
      server = await nameServer(good, port);
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export async function workingDns(): Promise<WorkingTarget> {
  let held = Promise.resolve();
  let server = await nameServer(good, 0, () => held);
  const { port } = server;
  return {
    port,
    goAway: async () => server[Symbol.asyncDispose](),
    comeBack: async () => {
      server = await nameServer(good, port, () => held);
    },
    pause: (ms) => {
      held = new Promise((resolve) => {
        setTimeout(resolve, ms);
      });
      return held;
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

interface NameServer extends AsyncDisposable {
  readonly port: number;
}

export async function nameServer(speak: Speaker, at = 0, ready: () => Promise<void> = () => Promise.resolve()): Promise<NameServer> {
  const socket = createSocket('udp4');
  let open = true;
  socket.on('message', (question, { port, address }) => {
    const reply = speak(question);
    // A wait only ever resolves.
    if (reply !== undefined) void ready().then(() => open && socket.send(reply, port, address));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(at, '127.0.0.1', resolve);
  });
  socket.on('error', () => undefined);
  return {
    port: socket.address().port,
    [Symbol.asyncDispose]: () => {
      if (!open) return Promise.resolve();
      open = false;
      return closed(socket);
    },
  };
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.close(() => resolve());
  });
}
