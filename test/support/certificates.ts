/** X.509 certificates made on the spot (RFC 5280), so that no private key is kept and one can be expired or for another name. */
import { createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export interface CertificateAuthority {
  /** PEM, for whoever is to trust it. */
  readonly ca: string;
  /** For `host`, a name or an IPv4 address; valid from an hour ago for `hours`, so -0.5 is expired. */
  issue(host: string, hours?: number): Certificate;
}

const hourMs = 3_600_000;
const ecdsaWithSha256 = tlv(0x30, oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));

export function certificateAuthority(): CertificateAuthority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = name(`test authority ${randomBytes(4).toString('hex')}`);
  const sign = (subject: Buffer, publicKey: KeyObject, extensions: Buffer[], hours: number): string => {
    const begins = Date.now() - hourMs;
    const ends = Date.now() + hours * hourMs;
    const body = tlv(
      0x30,
      tlv(0xa0, integer(Buffer.from([2]))),
      integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
      ecdsaWithSha256,
      issuer,
      tlv(0x30, utcTime(begins), utcTime(ends)),
      subject,
      publicKey.export({ type: 'spki', format: 'der' }),
      tlv(0xa3, tlv(0x30, ...extensions)),
    );
    const signature = createSign('sha256').update(body).sign(keys.privateKey);
    return pem(tlv(0x30, body, ecdsaWithSha256, tlv(0x03, Buffer.from([0]), signature)));
  };
  const isAuthority = extension([0x55, 0x1d, 0x13], tlv(0x30, tlv(0x01, Buffer.from([0xff]))));
  return {
    ca: sign(issuer, keys.publicKey, [isAuthority], 24),
    issue: (host, hours = 24) => {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const address = isIP(host) === 4 ? tlv(0x87, Buffer.from(host.split('.').map(Number))) : tlv(0x82, Buffer.from(host));
      return {
        cert: sign(name(host), own.publicKey, [extension([0x55, 0x1d, 0x11], tlv(0x30, address))], hours),
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

function tlv(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function oid(...bytes: number[]): Buffer {
  return tlv(0x06, Buffer.from(bytes));
}

function integer(bytes: Buffer): Buffer {
  return tlv(0x02, bytes);
}

function name(common: string): Buffer {
  return tlv(0x30, tlv(0x31, tlv(0x30, oid(0x55, 0x04, 0x03), tlv(0x0c, Buffer.from(common)))));
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14);
  return tlv(0x17, Buffer.from(`${digits}Z`));
}

function extension(id: number[], value: Buffer): Buffer {
  return tlv(0x30, oid(...id), tlv(0x04, value));
}

function pem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n')}\n-----END CERTIFICATE-----\n`;
}
