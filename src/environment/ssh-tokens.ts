/**
 * Tokens in the names of key files (ssh_config(5), TOKENS): `ssh -G` prints IdentityFile, CertificateFile and IdentityAgent as they were written,
 * and expands them only when it connects.
 */
import { homedir, hostname, userInfo } from 'node:os';
import { ChaosError } from '../core/errors.ts';
import { absolutePath } from './references.ts';

export interface FileTokens {
  /** `%n`: as on the command line. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** `%k`: the name that the host's key is known by. */
  readonly keyName: string;
}

/** An absolute path, with `~`, `%x` and `${NAME}` replaced. Rejects with `CHAOS_REFUSED` what nobody can replace. */
export function expandFile(file: string, tokens: FileTokens): string {
  const refuse = (written: string, why: string): ChaosError =>
    new ChaosError('CHAOS_REFUSED', `${tokens.name} has the file ${file} in its SSH configuration, in which ${written} ${why}`, {
      target: tokens.name,
      hint: 'write the name out in the SSH configuration, or set ssh.identityFile in the environment file',
    });
  const variables = file.replace(/\$\{(\w+)\}/g, (written, name: string) => {
    const value = process.env[name];
    if (value === undefined) throw refuse(written, 'is not set here');
    return value;
  });
  const values = valuesOf(tokens);
  const expanded = variables.replace(/%(.?)/gs, (written: string, letter: string) => {
    const value = values[letter];
    if (value === undefined) throw refuse(written, 'stands for nothing that is known');
    return value;
  });
  return absolutePath(expanded, '/');
}

function valuesOf({ name, address, port, user, keyName }: FileTokens): Readonly<Record<string, string>> {
  const local = userInfo();
  const machine = hostname();
  return {
    '%': '%',
    d: homedir(),
    h: address,
    i: String(local.uid),
    k: keyName,
    L: machine.split('.')[0] ?? machine,
    l: machine,
    n: name,
    p: String(port),
    r: user,
    u: local.username,
  };
}
