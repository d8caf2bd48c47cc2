/**
 * Reads user certificates of OpenSSH (PROTOCOL.certkeys in its sources). Whether one is good is for the server to say: its clock and its list of
 * principals count. Here stands only what a person should look at when it was refused.
 */
import { WireReader, wireString } from './wire.ts';

const suffix = '-cert-v01@openssh.com';
/** Fields of the public key that follow the nonce. */
const keyFields: Readonly<Record<string, number>> = {
  'ssh-ed25519': 1,
  'ssh-rsa': 2,
  'ecdsa-sha2-nistp256': 2,
  'ecdsa-sha2-nistp384': 2,
  'ecdsa-sha2-nistp521': 2,
};

export interface Certificate {
  /** As it goes over the wire. */
  readonly blob: Buffer;
  /** Of the key that is certified, such as `ssh-ed25519`. */
  readonly keyType: string;
  /** That key, as it goes over the wire. */
  readonly publicKey: Buffer;
  readonly kind: 'user' | 'host';
  readonly keyId: string;
  /** Empty: sshd accepts it for nobody. */
  readonly principals: readonly string[];
  /** ms since 1970; `validBefore` may be infinite. */
  readonly validAfter: number;
  readonly validBefore: number;
  /** The networks it may be used from; absent: any. */
  readonly sourceAddress?: string;
  /** The public key that signed it. */
  readonly authority: Buffer;
}

/** The text of a `-cert.pub` file. An Error says what it is instead. */
export function parseCertificate(text: string): Certificate | Error {
  const [type = '', base64 = ''] = text.trim().split(/\s+/);
  if (!type.includes('-cert-')) return new Error('is not a certificate');
  return readCertificate(Buffer.from(base64, 'base64'));
}

export function readCertificate(blob: Buffer): Certificate | Error {
  try {
    const reader = new WireReader(blob);
    const type = reader.text();
    const keyType = type.endsWith(suffix) ? type.slice(0, -suffix.length) : '';
    const fields = keyFields[keyType];
    if (fields === undefined) return new Error(`is a certificate of the type ${type}, which is not supported`);
    return readFields(blob, reader, keyType, fields);
  } catch {
    return new Error('is a damaged certificate');
  }
}

function readFields(blob: Buffer, reader: WireReader, keyType: string, fields: number): Certificate {
  reader.string(); // nonce
  const start = reader.position;
  for (let field = 0; field < fields; field++) reader.string();
  const publicKey = Buffer.concat([wireString(keyType), blob.subarray(start, reader.position)]);
  reader.uint64(); // serial
  const kind = reader.uint32() === 1 ? 'user' : 'host';
  const keyId = reader.text();
  const principals = readList(reader.string());
  const validAfter = milliseconds(reader.uint64());
  const validBefore = milliseconds(reader.uint64());
  const sourceAddress = readOption(reader.string(), 'source-address');
  reader.string(); // extensions
  reader.string(); // reserved
  const authority = reader.string();
  reader.string(); // signature
  const limits = sourceAddress === undefined ? {} : { sourceAddress };
  return { blob, keyType, publicKey, kind, keyId, principals, validAfter, validBefore, ...limits, authority };
}

function readList(bytes: Buffer): string[] {
  const reader = new WireReader(bytes);
  const list: string[] = [];
  while (!reader.atEnd) list.push(reader.text());
  return list;
}

function readOption(bytes: Buffer, wanted: string): string | undefined {
  const reader = new WireReader(bytes);
  while (!reader.atEnd) {
    const name = reader.text();
    const value = reader.string();
    if (name === wanted) return new WireReader(value).text();
  }
  return undefined;
}

/** The largest dates of JavaScript end in the year 275760; OpenSSH writes 2^64 - 1 for "forever". */
function milliseconds(seconds: bigint): number {
  return seconds > 8_640_000_000_000n ? Number.POSITIVE_INFINITY : Number(seconds) * 1_000;
}

/** What may be why a server refused it, for people: `expired at …`. */
export function doubtsAbout(certificate: Certificate, user: string, now: number): string[] {
  const { validAfter, validBefore, principals, sourceAddress } = certificate;
  const list = principals.map((name) => JSON.stringify(name)).join(', ');
  return [
    ...(now < validAfter ? [`is not valid before ${date(validAfter)}`] : []),
    ...(now >= validBefore ? [`expired at ${date(validBefore)}`] : []),
    ...(principals.length === 0 ? ['names no principal'] : []),
    ...(principals.length > 0 && !principals.includes(user) ? [`is for ${list}, not for the user ${user}`] : []),
    ...(sourceAddress === undefined ? [] : [`may only be used from ${sourceAddress}`]),
  ];
}

function date(time: number): string {
  return Number.isFinite(time) ? new Date(time).toISOString().replace('.000Z', 'Z') : 'the end of time';
}
