/** Key pairs and known_hosts lines for the lab's hosts. Plain Node crypto: nothing of SSH is loaded for it. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';

export interface SshKeyPair {
  /** Unencrypted, in OpenSSH's own format (`openssh-key-v1`), with a newline at the end. */
  readonly private: string;
  /** One line as in authorized_keys, `ssh-ed25519 AAAA… [comment]`, without a newline. */
  readonly public: string;
}

/** Lengths of an ed25519 key in DER; the key itself is the end of each: https://www.rfc-editor.org/rfc/rfc8410 */
const der = { spki: 44, pkcs8: 48, key: 32 } as const;

/**
 * Makes an ed25519 pair. Both halves are read by OpenSSH and by ssh2; ssh2's own generator makes an unreadable pair once in 300.
 * Encoded as it is made: on Node 20 the `export` of a fresh key as JWK stands still for ever when the garbage collector runs in the midst
 * of it, since that frees the generator, which waits for the lock that the export holds (seen once in 2000 pairs).
 */
export function generateKeyPair(comment = ''): SshKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
  });
  if (publicKey.length !== der.spki || privateKey.length !== der.pkcs8) throw new Error('Node made an ed25519 key of unexpected shape');
  const [point, seed] = [publicKey.subarray(-der.key), privateKey.subarray(-der.key)];
  const blob = Buffer.concat([field('ssh-ed25519'), field(point)]);
  const line = `ssh-ed25519 ${blob.toString('base64')}`;
  return { private: openSshPrivateKey(blob, point, seed, comment), public: comment === '' ? line : `${line} ${comment}` };
}

/** The known_hosts line for a host; `publicKey` as in {@link SshKeyPair}. */
export function knownHostsLine(address: string, port: number, publicKey: string): string {
  const [type, blob] = publicKey.trim().split(/\s+/);
  return `${port === 22 ? address : `[${address}]:${port}`} ${type} ${blob}`;
}

// The layout is OpenSSH's PROTOCOL.key; the cipher is `none`.
function openSshPrivateKey(blob: Buffer, point: Buffer, seed: Buffer, comment: string): string {
  const check = randomBytes(4);
  const body = Buffer.concat([check, check, field('ssh-ed25519'), field(point), field(Buffer.concat([seed, point])), field(comment)]);
  const padding = Buffer.from(Array.from({ length: (8 - (body.length % 8)) % 8 }, (_, index) => index + 1));
  const count = Buffer.from([0, 0, 0, 1]);
  const magic = Buffer.from('openssh-key-v1\0', 'latin1');
  const all = Buffer.concat([magic, field('none'), field('none'), field(''), count, field(blob), field(Buffer.concat([body, padding]))]);
  const lines = all.toString('base64').match(/.{1,70}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
