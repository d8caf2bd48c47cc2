/** Who may log in to a lab host: one account, listed keys, nothing else. */
import { createHash, timingSafeEqual } from 'node:crypto';
import ssh2 from 'ssh2';
import { ChaosError } from '../core/errors.ts';

/** Gives the listener for ssh2's `authentication` event; throws `CHAOS_LAB` for a line that is no public key. */
export function createAuthenticator(user: string, authorizedKeys: readonly string[]): (context: ssh2.AuthContext) => void {
  const keys = authorizedKeys.map(parsePublicKey);
  return (context) => {
    if (context.method !== 'publickey') {
      context.reject(['publickey']);
      return;
    }
    // Every key is compared, whichever matched, and by digest: the time taken tells nothing.
    const known = keys.filter((key) => sameBytes(key.getPublicSSH(), context.key.data));
    const [key] = sameBytes(Buffer.from(user), Buffer.from(context.username)) ? known : [];
    if (key !== undefined && (context.signature === undefined || isSigned(key, context))) context.accept();
    else context.reject(['publickey']);
  };
}

function isSigned(key: ssh2.ParsedKey, context: ssh2.PublicKeyAuthContext): boolean {
  if (context.signature === undefined || context.blob === undefined) return false;
  // verify() gives an Error, not false, for a malformed signature.
  return key.verify(context.blob, context.signature, context.hashAlgo) === true;
}

function parsePublicKey(line: string): ssh2.ParsedKey {
  const parsed = ssh2.utils.parseKey(line);
  if (parsed instanceof Error) throw new ChaosError('CHAOS_LAB', 'an authorized key of a lab host is not a public key', { cause: parsed });
  return parsed;
}

function sameBytes(a: Buffer, b: Buffer): boolean {
  const digest = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
  return timingSafeEqual(digest(a), digest(b));
}
