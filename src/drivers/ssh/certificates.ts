/**
 * Which certificates are offered to a host, and what signs for them: as ssh does, those that are named, else `-cert.pub` beside each key file, then
 * those that the agent lists.
 */
import { readFile } from 'node:fs/promises';
import type ssh2 from 'ssh2';
import { ChaosError } from '../../core/errors.ts';
import { shellQuote } from '../../core/text.ts';
import type { JumpAddress } from '../contract.ts';
import { listAgent } from './agent-list.ts';
import { type Certificate, parseCertificate, readCertificate } from './certificate.ts';
import { type CertifiedKey, type Signer, signerOfAgent, signerOfKey } from './certified-keys.ts';
import { fingerprint } from './known-hosts.ts';

export interface Certificates {
  readonly certified: readonly CertifiedKey[];
  readonly troubles: readonly ChaosError[];
}

/** `keys`: those that could be read from files. `agentSocket`: of the agent that may be used. */
export async function loadCertificates(
  host: JumpAddress,
  keys: readonly ssh2.ParsedKey[],
  agentSocket: string | undefined,
): Promise<Certificates> {
  const certified: CertifiedKey[] = [];
  const troubles: ChaosError[] = [];
  const held = agentSocket === undefined ? [] : await listAgent(agentSocket);
  const signerFor = (certificate: Certificate): Signer | undefined => findSigner(certificate, keys, agentSocket, held);
  for (const { file, named } of certificateFiles(host)) {
    const found = await loadFile(file, named, signerFor, host);
    if (found instanceof ChaosError) troubles.push(found);
    else if (found !== undefined) certified.push(found);
  }
  if (host.identitiesOnly !== true) certified.push(...certificatesOfAgent(held, signerFor));
  const first = (one: CertifiedKey, index: number): boolean => certified.findIndex((other) => sameBlob(one, other)) === index;
  return { certified: certified.filter(first), troubles };
}

/** As ssh: where certificates are named, none is looked for beside the keys. */
function certificateFiles(host: JumpAddress): { readonly file: string; readonly named: boolean }[] {
  const { certificateFiles: files = [], identityFiles } = host;
  if (files.length > 0) return files.map((file) => ({ file, named: true }));
  return identityFiles.map((file) => ({ file: `${file.replace(/\.pub$/, '')}-cert.pub`, named: false }));
}

async function loadFile(
  file: string,
  named: boolean,
  signerFor: (certificate: Certificate) => Signer | undefined,
  host: JumpAddress,
): Promise<CertifiedKey | ChaosError | undefined> {
  const refuse = (summary: string, hint: string, cause?: unknown): ChaosError =>
    new ChaosError('CHAOS_SSH_AUTH', summary, { target: host.id, hint, cause });
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (!named && (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return refuse(`cannot read the certificate ${file}`, 'Correct CertificateFile in the SSH configuration.', cause);
  }
  const look = `What is it?  ssh-keygen -L -f ${shellQuote(file)}`;
  const certificate = parseCertificate(text);
  if (certificate instanceof Error) return refuse(`${file} ${certificate.message}`, look);
  if (certificate.kind === 'host') return refuse(`${file} is a certificate of a host, not of a user`, look);
  const sign = signerFor(certificate);
  if (sign !== undefined) return { certificate, where: file, sign };
  const summary = `the certificate ${file} is for another key (${fingerprint(certificate.publicKey)}) than those that can be used`;
  return refuse(summary, `Name the key it was made for as IdentityFile, or load it into the agent. ${look}`);
}

/** A key file, if one was read; else the agent, which knows it as a key or only as this certificate. */
function findSigner(
  certificate: Certificate,
  keys: readonly ssh2.ParsedKey[],
  agentSocket: string | undefined,
  held: readonly Buffer[],
): Signer | undefined {
  const key = keys.find((one) => one.getPublicSSH().equals(certificate.publicKey));
  if (key !== undefined) return signerOfKey(key);
  const blob = [certificate.publicKey, certificate.blob].find((one) => held.some((other) => other.equals(one)));
  return agentSocket === undefined || blob === undefined ? undefined : signerOfAgent(agentSocket, certificate, blob);
}

function certificatesOfAgent(held: readonly Buffer[], signerFor: (certificate: Certificate) => Signer | undefined): CertifiedKey[] {
  return held.flatMap((blob) => {
    const certificate = readCertificate(blob);
    if (certificate instanceof Error || certificate.kind === 'host') return [];
    const sign = signerFor(certificate);
    return sign === undefined ? [] : [{ certificate, where: 'of the agent', sign }];
  });
}

function sameBlob(one: CertifiedKey, other: CertifiedKey): boolean {
  return one.certificate.blob.equals(other.certificate.blob);
}
