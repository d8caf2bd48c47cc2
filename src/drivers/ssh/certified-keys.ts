/**
 * Certificates as ssh2 can offer them: as the identities of an agent of our own, since its own keys know nothing of certificates. What it
 * writes on the wire has to be put right in one place, see `correctSignatures`.
 */
import { createPrivateKey, sign as signBytes } from 'node:crypto';
import ssh2 from 'ssh2';
import type { Certificate } from './certificate.ts';
import { WireReader, wireNumber, wireString } from './wire.ts';

/** Calls back with the signature in SSH's own form. */
export type Signer = (data: Buffer, done: ssh2.SignCallback) => void;

export interface CertifiedKey {
  readonly certificate: Certificate;
  /** For people: the file, or `of the agent`. */
  readonly where: string;
  readonly sign: Signer;
}

const suffix = '-cert-v01@openssh.com';

export class CertifiedKeys extends ssh2.BaseAgent<ssh2.ParsedKey> {
  readonly #signers = new Map<unknown, Signer>();
  readonly #keys: ssh2.ParsedKey[] = [];

  constructor(certified: readonly CertifiedKey[]) {
    super();
    for (const { certificate, sign } of certified) {
      const key = dressedKey(certificate, `${signatureType(certificate.keyType)}${suffix}`);
      if (key === undefined) continue;
      this.#keys.push(key);
      this.#signers.set(key, sign);
    }
  }

  override getIdentities(callback: ssh2.IdentityCallback<ssh2.ParsedKey>): void {
    callback(undefined, this.#keys);
  }

  override sign(
    key: ssh2.ParsedKey,
    data: Buffer,
    options: ssh2.SigningRequestOptions | ssh2.SignCallback,
    callback?: ssh2.SignCallback,
  ): void {
    const done = typeof options === 'function' ? options : callback;
    const sign = this.#signers.get(key);
    if (done === undefined) return;
    if (sign === undefined) done(new Error('an unknown key'));
    else sign(data, done);
  }
}

/** RSA with SHA-1 is refused by every sshd of today. */
function signatureType(keyType: string): string {
  return keyType === 'ssh-rsa' ? 'rsa-sha2-512' : keyType;
}

/** ssh2 takes only keys that it parsed itself: the certified key, with the certificate over it. `undefined` where that key is damaged. */
function dressedKey(certificate: Certificate, type: string): ssh2.ParsedKey | undefined {
  const plain: unknown = ssh2.utils.parseKey(certificate.publicKey);
  if (plain instanceof Error) return undefined;
  return Object.create(plain as ssh2.ParsedKey, { type: { value: type }, getPublicSSH: { value: () => certificate.blob } });
}

/** Signs with the private half, which was read from a file. */
export function signerOfKey(key: ssh2.ParsedKey): Signer {
  return (data, done) => {
    try {
      done(undefined, signWith(key, data));
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

function signWith(key: ssh2.ParsedKey, data: Buffer): Buffer {
  const type: string = key.type;
  const curve = /^ecdsa-sha2-nistp(256|384|521)$/.exec(type)?.[1];
  if (curve !== undefined) {
    const secret = createPrivateKey(key.getPrivatePEM());
    const hash = curve === '521' ? 'sha512' : `sha${curve}`;
    const both = signBytes(hash, data, { key: secret, dsaEncoding: 'ieee-p1363' });
    return Buffer.concat([wireNumber(both.subarray(0, both.length / 2)), wireNumber(both.subarray(both.length / 2))]);
  }
  const signature: unknown = type === 'ssh-rsa' ? key.sign(data, 'sha512') : key.sign(data);
  if (Buffer.isBuffer(signature)) return signature;
  throw signature instanceof Error ? signature : new Error('the key does not sign');
}

/** Signs by the agent that holds the key under `blob`: some hold only the certificate, some only the key. */
export function signerOfAgent(socket: string, certificate: Certificate, blob: Buffer): Signer {
  const key = dressedKey({ ...certificate, blob }, certificate.keyType);
  return (data, done) => {
    if (key === undefined) done(new Error('a damaged key'));
    else new ssh2.OpenSSHAgent(socket).sign(key, data, { hash: 'sha512' }, done);
  };
}

interface Writer {
  readonly allocStart: number;
  alloc(length: number): Buffer;
  finalize(packet: Buffer, force?: boolean): Buffer;
}
type SignData = (data: Buffer, done: (signature: Buffer) => void) => void;
interface Protocol {
  readonly _packetRW: { readonly write: Writer };
  authPK(user: string, key: ssh2.ParsedKey, algorithm?: string, sign?: SignData): void;
}

/**
 * ssh2 names the algorithm of the request in the signature too, where OpenSSH wants that of the plain key ("key type mismatch"): what it sends
 * for a certificate is corrected on its way out. After `client.connect`.
 */
export function correctSignatures(client: ssh2.Client): void {
  const protocol = protocolOf(client);
  const original = protocol.authPK.bind(protocol);
  protocol.authPK = (user, key, algorithm, sign) => {
    const type: string = key.type;
    if (sign === undefined || !type.endsWith(suffix)) return original(user, key, algorithm, sign);
    original(user, key, algorithm, (data, done) => sign(data, (signature) => corrected(protocol, () => done(signature))));
  };
}

/** Sending is done when `send` returns; the writer is another one after each key exchange. */
function corrected(protocol: Protocol, send: () => void): void {
  const writer = protocol._packetRW.write;
  const original = writer.finalize;
  writer.finalize = (packet, force) => original.call(writer, withPlainAlgorithm(packet, writer), force);
  try {
    send();
  } finally {
    writer.finalize = original;
  }
}

/** USERAUTH_REQUEST (RFC 4252, section 7): byte, user, service, `publickey`, TRUE, algorithm, blob, signature (algorithm, bytes). */
function withPlainAlgorithm(packet: Buffer, writer: Writer): Buffer {
  const reader = new WireReader(packet, writer.allocStart);
  reader.skip(1);
  for (let field = 0; field < 3; field++) reader.string();
  reader.skip(1);
  const algorithm = reader.text();
  reader.string();
  const head = packet.subarray(writer.allocStart, reader.position);
  const signature = new WireReader(reader.string());
  signature.string();
  const plain = Buffer.concat([wireString(algorithm.slice(0, -suffix.length)), wireString(signature.string())]);
  const payload = Buffer.concat([head, wireString(plain)]);
  const answer = writer.alloc(payload.length);
  payload.copy(answer, writer.allocStart);
  return answer;
}

function protocolOf(client: ssh2.Client): Protocol {
  const protocol = (client as unknown as { readonly _protocol?: Partial<Protocol> })._protocol;
  if (typeof protocol?.authPK !== 'function' || typeof protocol._packetRW?.write.finalize !== 'function')
    throw new Error('this version of ssh2 is not one that certificates work with');
  return protocol as Protocol;
}
