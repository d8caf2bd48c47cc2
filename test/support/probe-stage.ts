/** A port on which a target first behaves badly in a given way and then well, as a target does that is broken and mended. */
import { createServer, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type Certificate, certificateAuthority } from './certificates.ts';
import { closedPort, type Target, tcpTarget } from './probe-target.ts';

/** One way to behave badly, with the words that its samples may have for errors. */
export interface Act {
  readonly words: RegExp;
  /** What is said on each connection; `refuses`: there is none to be had. */
  readonly on: 'refuses' | ((socket: Socket) => void);
  /** In the spec, besides what every act has. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** Is the spec to ask for TLS? */
  readonly secure?: boolean;
}

export interface Stage extends AsyncDisposable {
  readonly port: number;
  /** From now on the target is as it should be; connections from before are gone. */
  good(): Promise<void>;
}

export const authority = certificateAuthority();
const trusted = authority.issue('127.0.0.1');

/** Over TCP; `good` is what a proper target does with a connection. */
export async function tcpStage(act: Act, good: (socket: Socket) => void): Promise<Stage> {
  let target: Target | undefined;
  const port = await closedPort();
  if (act.on !== 'refuses') target = await tcpTarget(act.on, port);
  return {
    port,
    good: async () => {
      await target?.[Symbol.asyncDispose]();
      target = await tcpTarget(act.secure === true ? overTls(trusted, good) : good, port);
    },
    [Symbol.asyncDispose]: async () => target?.[Symbol.asyncDispose](),
  };
}

/** Hands connections to an HTTP server that listens nowhere itself. */
export function asHttp(answer: RequestListener): (socket: Socket) => void {
  const server = createServer(answer);
  return (socket) => {
    server.emit('connection', socket);
  };
}

/** Hands connections to whoever listens on `port`. */
export function asForwarded(port: number): (socket: Socket) => void {
  return (near) => {
    const far = connect(port, '127.0.0.1');
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    near.pipe(far).pipe(near);
  };
}

/** Hands connections, once their TLS is done, to `then`. */
function overTls(certificate: Certificate, then: (secure: Socket) => void = () => undefined): (socket: Socket) => void {
  const server = createTlsServer(certificate, then);
  server.on('tlsClientError', () => undefined);
  return (socket) => {
    server.emit('connection', socket);
  };
}

/** What any target over TCP may do; `begin` is how an answer begins that never ends. */
export function tcpActs(begin: Buffer): Readonly<Record<string, Act>> {
  return {
    'refuses connections': { on: 'refuses', words: /^ECONNREFUSED$/ },
    'accepts and hangs': { on: () => undefined, words: /^timeout$/ },
    'closes at once': { on: (socket) => socket.end(), words: /^(?:reset|closed|connection lost)$/ },
    'resets when asked': {
      on: (socket) => socket.once('data', () => socket.resetAndDestroy()),
      words: /^(?:reset|closed|connection lost)$/,
    },
    'breaks off in the middle of an answer': {
      on: (socket) =>
        socket.once('data', () => {
          socket.write(begin);
          setTimeout(() => socket.resetAndDestroy(), 10);
        }),
      // After a moment in which its end came first, what did come counts.
      words: /^(?:reset|closed|connection lost|text missing)$/,
    },
  };
}

/** What any target over TLS may do. */
export function tlsActs(): Readonly<Record<string, Act>> {
  const secure = true;
  return {
    'shows a certificate of somebody else': {
      secure,
      on: overTls(authority.issue('other.example')),
      words: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    },
    'shows an expired certificate': { secure, on: overTls(authority.issue('127.0.0.1', -0.5)), words: /^CERT_HAS_EXPIRED$/ },
    'shows a certificate that nobody trusts': {
      secure,
      on: overTls(certificateAuthority().issue('127.0.0.1')),
      words: /^UNABLE_TO_VERIFY_LEAF_SIGNATURE$/,
    },
    'speaks no TLS': { secure, on: (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 no\r\n\r\n')), words: /^E[A-Z_]+$/ },
  };
}

/** Bytes that HTTP targets got rid of, the most on one connection. */
export const sent = { most: 0 };

/** What any target over HTTP may do whose body is read as JSON; `extra` are bodies that mean nothing to the probe. */
export function httpActs(bodies: Readonly<Record<string, readonly [body: string, words: RegExp]>>): Readonly<Record<string, Act>> {
  const says = (status: number, headers: Readonly<Record<string, string>>, body: string) =>
    asHttp((_request, response) => response.writeHead(status, headers).end(body));
  const answers = Object.entries(bodies).map(([name, [body, words]]) => [`answers ${name}`, { on: says(200, {}, body), words }] as const);
  return {
    ...tcpActs(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"a":')),
    ...tlsActs(),
    'talks nonsense': { on: (socket) => socket.write(Buffer.alloc(4_096, 0xff)), words: /^HPE_[A-Z_]+$/ },
    'hangs in the middle of a body': { on: asHttp((_request, response) => response.write('{"a":')), words: /^timeout$/ },
    'answers 502': { on: says(502, {}, '<html>Bad Gateway</html>'), words: /^status 502$/ },
    'redirects to itself': { on: says(302, { location: '/' }, ''), words: /^(?:status 302|text missing|not JSON)$/ },
    // So much work for both sides that a busy test machine needs its time.
    'answers 100 MB': { on: endless(100 * 1024 * 1024), words: /^body too large$/, spec: { rate: '4/s', timeout: '2s' } },
    'answers HTML': { on: says(200, {}, '<html>Welcome</html>'), words: /^not JSON$/ },
    'answers nothing': { on: says(200, {}, ''), words: /^not JSON$/ },
    'answers other JSON': { on: says(200, {}, '{"a":[1]}'), words: /^(?:unexpected JSON|JSON path missing)$/ },
    'answers null': { on: says(200, {}, 'null'), words: /^(?:unexpected JSON|JSON path missing)$/ },
    ...Object.fromEntries(answers),
  };
}

function endless(bytes: number): (socket: Socket) => void {
  const chunk = Buffer.alloc(256 * 1024, 0x20);
  return asHttp((request, response) => {
    let written = 0;
    response.writeHead(200, { 'content-length': bytes });
    const more = (): void => {
      while (written < bytes && !response.destroyed) {
        written += chunk.length;
        if (!response.write(chunk)) break;
      }
      sent.most = Math.max(sent.most, written - request.socket.writableLength);
      if (written >= bytes) response.end();
    };
    response.on('drain', more);
    more();
  });
}
