/**
 * known_hosts as OpenSSH reads it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT): plain and hashed names, `[host]:port`, `*`, `?`, `!`, `@revoked`.
 * Host certificates (`@cert-authority`) cannot be checked here; a host known by nothing else is refused with that reason.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type ssh2 from 'ssh2';
import { ChaosError } from '../../core/errors.ts';
import type { JumpAddress } from '../contract.ts';

export interface KnownHost {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly marker: 'key' | 'revoked' | 'authority';
  /** The first field as written. */
  readonly names: string;
  readonly type: string;
  readonly key: Buffer;
}

/** `known` is the only answer that lets a connection go on. */
export type HostKeyAnswer =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'changed'; readonly entry: KnownHost }
  | { readonly kind: 'revoked'; readonly entry: KnownHost }
  | { readonly kind: 'authority'; readonly entry: KnownHost };

/** What is known of one host. */
export interface HostKeys {
  /**
   * Algorithms to offer. Only those of known keys: a host known by its RSA key alone would otherwise answer with its ed25519 key and look
   * changed. Empty: nothing is known, offer all, to be able to say which key was seen.
   */
  readonly algorithms: readonly ssh2.ServerHostKeyAlgorithm[];
  judge(key: Buffer): HostKeyAnswer;
}

const algorithmsOfType: Readonly<Record<string, readonly ssh2.ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  // RFC 8332: the key type stays ssh-rsa, the signatures are SHA-2.
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** Reads the host's files; a missing one is empty, an unreadable one rejects with `CHAOS_SSH_HOST_KEY`. */
export async function loadHostKeys(host: JumpAddress): Promise<HostKeys> {
  const entries: KnownHost[] = [];
  for (const file of host.knownHostsFiles) entries.push(...parseKnownHosts(await readIfPresent(file, host), file));
  // As ssh does it: an alias stands for address and port.
  return host.hostKeyAlias === undefined ? hostKeysOf(entries, host.address, host.port) : hostKeysOf(entries, host.hostKeyAlias, 22);
}

/** What a host is called in known_hosts. */
export function keyName({ address, port, hostKeyAlias }: Pick<JumpAddress, 'address' | 'port' | 'hostKeyAlias'>): string {
  return hostKeyAlias ?? (port === 22 ? address : `[${address}]:${port}`);
}

async function readIfPresent(file: string, host: JumpAddress): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new ChaosError('CHAOS_SSH_HOST_KEY', `cannot read the known hosts file ${file}`, { target: host.id, cause });
  }
}

/** Lines that make no sense are skipped, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  return text.split(/\r?\n/).flatMap((raw, index) => {
    const fields = raw.trim().split(/\s+/);
    if (fields[0]?.startsWith('#')) return [];
    const marker = fields[0]?.startsWith('@') ? markers[fields.shift() ?? ''] : 'key';
    const [names, type, key] = fields;
    if (marker === undefined || names === undefined || type === undefined || key === undefined) return [];
    return [{ file, line: index + 1, marker, names, type, key: Buffer.from(key, 'base64') }];
  });
}

const markers: Readonly<Record<string, KnownHost['marker']>> = { '@revoked': 'revoked', '@cert-authority': 'authority' };

/** What `entries` say of the host at `address:port`. */
export function hostKeysOf(entries: readonly KnownHost[], address: string, port: number): HostKeys {
  const name = address.toLowerCase();
  const named = entries.filter((entry) => matchesName(entry.names, port === 22 ? name : `[${name}]:${port}`));
  const keys = named.filter((entry) => entry.marker === 'key');
  // As ssh does it: a host on another port may also be known without the port, but then a different key is unknown, not changed.
  const bare = keys.length === 0 && port !== 22 ? entries.filter((entry) => entry.marker === 'key' && matchesName(entry.names, name)) : [];
  const usable = [...keys, ...bare];
  return {
    algorithms: [...new Set(usable.flatMap((entry) => algorithmsOfType[entry.type] ?? []))],
    judge(key) {
      const same = (entry: KnownHost): boolean => entry.key.equals(key);
      const revoked = named.find((entry) => entry.marker === 'revoked' && same(entry));
      if (revoked !== undefined) return { kind: 'revoked', entry: revoked };
      if (usable.some(same)) return { kind: 'known' };
      if (keys[0] !== undefined) return { kind: 'changed', entry: keys[0] };
      const authority = named.find((entry) => entry.marker === 'authority');
      return authority === undefined ? { kind: 'unknown' } : { kind: 'authority', entry: authority };
    },
  };
}

/** Does the first field of a line name this host? `name` in lower case, with brackets and port unless the port is 22. */
export function matchesName(names: string, name: string): boolean {
  if (names.startsWith('|1|')) return matchesHash(names, name);
  let matched = false;
  for (const pattern of names.toLowerCase().split(',')) {
    const negated = pattern.startsWith('!');
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function matchesHash(names: string, name: string): boolean {
  const [, , salt, hash] = names.split('|');
  const expected = Buffer.from(hash ?? '', 'base64');
  const actual = createHmac('sha1', Buffer.from(salt ?? '', 'base64'))
    .update(name)
    .digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function matchesPattern(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`).test(name);
}

/** As `ssh-keygen -l` prints it: `SHA256:…`. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The key type that a public key blob names itself: its first length-prefixed field. */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return key.subarray(4, 4 + Math.min(length, 64)).toString('latin1');
}
