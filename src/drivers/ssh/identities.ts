/** Which keys are offered to a host: certificates, private key files, and the agent. Nothing is ever asked for. */
import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { ChaosError, describeError } from '../../core/errors.ts';
import { shellQuote } from '../../core/text.ts';
import type { JumpAddress } from '../contract.ts';
import { loadCertificates } from './certificates.ts';
import { type CertifiedKey, CertifiedKeys } from './certified-keys.ts';

export interface Identities {
  /** At least one, in the order they are offered. */
  readonly methods: readonly ssh2.AnyAuthMethod[];
  /** For people: `file (ssh-ed25519)`, `the agent`. */
  readonly offered: readonly string[];
  /** Keys that could not be used although others could. */
  readonly skipped: readonly string[];
  /** Those offered, before all plain keys. */
  readonly certified: readonly CertifiedKey[];
}

/**
 * Reads and parses each key file once. Rejects with `CHAOS_SSH_AUTH` when no key is left to offer. A file that cannot be used is passed over
 * only when something else can be offered in its place.
 */
export async function loadIdentities(host: JumpAddress, agentSocket = host.agentSocket ?? process.env.SSH_AUTH_SOCK): Promise<Identities> {
  const username = host.user;
  const socket = host.agent && agentSocket !== '' ? agentSocket : undefined;
  const loaded = await Promise.all(host.identityFiles.map(async (file) => ({ file, key: await loadKey(file, host) })));
  const usable = loaded.flatMap(({ file, key }) => (key instanceof ChaosError ? [] : [{ file, key }]));
  const { certified, troubles } = await loadCertificates(
    host,
    usable.map(({ key }) => key),
    socket,
  );
  const skipped = [...loaded.flatMap(({ key }) => (key instanceof ChaosError ? [key] : [])), ...troubles];
  const methods: ssh2.AnyAuthMethod[] = [];
  const offered: string[] = [];
  if (certified.length > 0) methods.push({ type: 'agent', username, agent: new CertifiedKeys(certified) });
  for (const { certificate, where } of certified) offered.push(`the certificate ${where} (${certificate.keyType})`);
  for (const { file, key } of usable) {
    methods.push({ type: 'publickey', username, key });
    offered.push(`${file} (${key.type})`);
  }
  if (socket !== undefined) {
    const named = host.identitiesOnly === true ? await publicHalves(host) : undefined;
    methods.push({ type: 'agent', username, agent: named === undefined ? socket : new NamedKeys(socket, named) });
    offered.push(named === undefined ? 'the agent' : 'the agent (only the keys that are named)');
  }
  if (methods.length === 0) throw skipped[0] ?? noIdentity(host);
  return { methods, offered, skipped: skipped.map(describeError), certified };
}

async function loadKey(file: string, host: JumpAddress): Promise<ssh2.ParsedKey | ChaosError> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const hint = 'Name an existing private key as ssh.identityFile in the environment file.';
    return new ChaosError('CHAOS_SSH_AUTH', `cannot read the key file ${file}`, { target: host.id, hint, cause });
  }
  const key = parseOnce(text, host.passphrase);
  if (key instanceof Error) return unusableKey(file, key, host);
  if (!key.isPrivateKey()) {
    const hint = file.endsWith('.pub') ? `Name ${file.slice(0, -4)} instead.` : 'Name the private half.';
    return new ChaosError('CHAOS_SSH_AUTH', `${file} is a public key`, { target: host.id, hint });
  }
  return key;
}

/** An agent of which only some keys are seen. */
class NamedKeys extends ssh2.OpenSSHAgent {
  readonly #named: ReadonlySet<string>;

  /** `named`: public keys in SSH's own form, base64. */
  constructor(socket: string, named: ReadonlySet<string>) {
    super(socket);
    this.#named = named;
  }

  override getIdentities(callback: ssh2.IdentityCallback<ssh2.ParsedKey>): void {
    super.getIdentities((error, keys) => {
      if (error !== undefined && error !== null) callback(error);
      else
        callback(
          undefined,
          keys?.filter((key) => 'getPublicSSH' in key && this.#named.has(key.getPublicSSH().toString('base64'))),
        );
    });
  }
}

/** From the `.pub` file beside each key, which is there also where the key itself is encrypted or elsewhere; else from the key. */
async function publicHalves(host: JumpAddress): Promise<ReadonlySet<string>> {
  const halves = await Promise.all(
    host.identityFiles.map(async (file) => {
      const text = await readFile(`${file.replace(/\.pub$/, '')}.pub`, 'utf8').catch(() => undefined);
      const key = text === undefined ? await loadKey(file, host) : parseOnce(text, undefined);
      return key instanceof Error ? [] : [key.getPublicSSH().toString('base64')];
    }),
  );
  return new Set(halves.flat());
}

const parsed = new Map<string, ssh2.ParsedKey>();

/** Given to ssh2 parsed, and parsed once for all hosts: deriving and decrypting a key blocks for a tenth of a second. */
function parseOnce(text: string, passphrase: string | undefined): ssh2.ParsedKey | Error {
  const name = `${text}\0${passphrase ?? ''}`;
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const answer: unknown = ssh2.utils.parseKey(text, passphrase);
  const key = (Array.isArray(answer) ? answer[0] : answer) as ssh2.ParsedKey | Error;
  if (!(key instanceof Error)) parsed.set(name, key);
  return key;
}

function unusableKey(file: string, error: Error, host: JumpAddress): ChaosError {
  if (host.passphrase !== undefined && /passphrase|encrypted|decrypt|integrity/i.test(error.message)) {
    const hint = `Does the reference under ssh.passphrase give the right one?  ssh-keygen -y -f ${shellQuote(file)}`;
    return new ChaosError('CHAOS_SSH_AUTH', `the passphrase does not open the key ${file}`, { target: host.id, hint });
  }
  if (/passphrase|encrypted/i.test(error.message)) {
    const hint = `Load it into an agent:  ssh-add ${shellQuote(file)}  or set ssh.passphrase: "\${env:NAME}" in the environment file.`;
    return new ChaosError('CHAOS_SSH_AUTH', `the key ${file} is encrypted, and passphrases are never asked for`, { target: host.id, hint });
  }
  const hint = `Is it a private key?  ssh-keygen -y -f ${shellQuote(file)}`;
  return new ChaosError('CHAOS_SSH_AUTH', `${file} is not a private key in a known format`, { target: host.id, hint, cause: error });
}

function noIdentity(host: JumpAddress): ChaosError {
  const why = host.agent ? 'no key file is named and SSH_AUTH_SOCK is not set' : 'no key file is named and the agent is not to be used';
  const hint = 'Set ssh.identityFile in the environment file, or ssh.agent: true with a running agent.';
  return new ChaosError('CHAOS_SSH_AUTH', `there is no key to offer to ${host.id}: ${why}`, { target: host.id, hint });
}
