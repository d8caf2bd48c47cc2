/**
 * Command lines for people, to be pasted as they are: logging in by hand, and learning or forgetting a host key exactly where our own check looks.
 * They say the whole way to the host themselves, so they mean the same with any SSH configuration.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { shellQuote } from '../../core/text.ts';
import type { JumpAddress } from '../contract.ts';
import { type KnownHost, keyName } from './known-hosts.ts';

export interface WayTo {
  readonly host: JumpAddress;
  /** What it is reached through, the one nearest to us first. */
  readonly jumps: readonly JumpAddress[];
}

const usualFile = '~/.ssh/known_hosts';

/** Without a command to run there. */
export function sshCommand({ host, jumps }: WayTo, options: readonly string[] = []): string {
  const [identity] = host.identityFiles;
  const proxy = proxyOf({ host, jumps });
  const all = [
    ...options,
    ...(host.hostKeyAlias === undefined ? [] : [`HostKeyAlias=${host.hostKeyAlias}`]),
    // In it a percent sign is a token again.
    ...(proxy === undefined ? [] : [`ProxyCommand=${proxy.replaceAll('%', '%%')}`]),
  ];
  return [
    `ssh -p ${host.port}`,
    ...(identity === undefined ? [] : [`-i ${shellQuote(identity)}`]),
    ...all.map((option) => `-o ${shellQuote(option)}`),
    shellQuote(`${host.user}@${host.address}`),
  ].join(' ');
}

/** `ssh -J` would take the keys and known hosts of the hops from the configuration alone. */
function proxyOf({ host, jumps }: WayTo): string | undefined {
  const last = jumps.at(-1);
  if (last === undefined) return host.proxyCommand;
  const address = host.address.includes(':') ? `[${host.address}]` : host.address;
  const [file = usualFile] = last.knownHostsFiles;
  const hop = sshCommand({ host: last, jumps: jumps.slice(0, -1) }, isUsual(file) ? [] : [keptIn(file)]);
  return hop.replace(/^ssh /, `ssh -W ${shellQuote(`${address}:${host.port}`)} `);
}

/** Writes the key that the host shows to `file`, under the name that our check looks for. Its fingerprint has to be compared before. */
export function learnKey(way: WayTo, file = way.host.knownHostsFiles[0] ?? usualFile): string {
  const { host, jumps } = way;
  // ssh-keyscan knows no other way than the direct one; ssh shows the fingerprint and asks.
  if (jumps.length > 0 || host.proxyCommand !== undefined)
    return `${sshCommand(way, ['StrictHostKeyChecking=ask', 'HashKnownHosts=no', keptIn(file)])} true`;
  const scan = `ssh-keyscan -p ${host.port} ${shellQuote(host.address)}`;
  if (host.hostKeyAlias === undefined) return `${scan} >> ${quotePath(file)}`;
  return `${scan} | sed ${shellQuote(`s/^[^ #]* /${forSed(host.hostKeyAlias)} /`)} >> ${quotePath(file)}`;
}

/** Removes all keys that the host is known by in that file; out of an `entry` that stands for others as well, by a pattern, it takes this host alone. */
export function forgetKey(host: JumpAddress, entry?: KnownHost): string {
  const file = quotePath(entry?.file ?? host.knownHostsFiles[0] ?? usualFile);
  const name = keyName(host);
  if (entry !== undefined && /[*?!]/.test(entry.names))
    return `sed -i.old ${shellQuote(`${entry.line}s/[^ ][^ ]*/&,!${forSed(name)}/`)} ${file}`;
  return `ssh-keygen -R ${shellQuote(name)} -f ${file}`;
}

/** In what `s///` puts in. */
function forSed(text: string): string {
  return text.replaceAll(/[\\/&]/g, '\\$&');
}

function isUsual(file: string): boolean {
  return file === usualFile || file === join(homedir(), '.ssh', 'known_hosts');
}

function keptIn(file: string): string {
  return `UserKnownHostsFile=${/\s/.test(file) ? `"${file}"` : file}`;
}

function quotePath(path: string): string {
  return path.startsWith('~/') ? path : shellQuote(path);
}
