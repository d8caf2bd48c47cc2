/** `from`: hosts that another file already lists. What the environment file itself says of a host beats it. */

import { absolutePath } from '../references.ts';
import type { Environment } from '../schema.ts';
import { ansibleHosts } from './ansible.ts';
import { InventoryError, type InventoryHost } from './contract.ts';
import { sshHosts } from './ssh-hosts.ts';

export type InventorySource = Environment['from'][number];
type Hosts = Environment['hosts'];

/** The hosts of all sources and of the environment file, or what is wrong with a source, by its index. `folder`: of the environment file. */
export function withInventory(
  environment: Pick<Environment, 'from' | 'hosts' | 'ssh'>,
  folder: string,
  isName: (name: string) => boolean,
): { readonly hosts: Hosts; readonly mistakes: readonly { readonly index: number; readonly message: string }[] } {
  const hosts: Hosts = {};
  const mistakes: { index: number; message: string }[] = [];
  for (const [index, source] of environment.from.entries()) {
    try {
      for (const host of hostsOf(source, environment.ssh.config, folder)) {
        if (!isName(host.name))
          throw new InventoryError(`${JSON.stringify(host.name)} cannot be the name of a host here: letters, digits and . _ - only`);
        hosts[host.name] = merge(asHost(host, source.groups), hosts[host.name]);
      }
    } catch (error) {
      if (!(error instanceof InventoryError)) throw error;
      mistakes.push({ index, message: error.message });
    }
  }
  for (const [name, host] of Object.entries(environment.hosts)) hosts[name] = hosts[name] === undefined ? host : merge(hosts[name], host);
  return { hosts, mistakes };
}

function hostsOf(source: InventorySource, config: string | undefined, folder: string): InventoryHost[] {
  if (source.ansible !== undefined) return ansibleHosts(absolutePath(source.ansible, folder));
  if (config === 'none') throw new InventoryError('ssh.config is none: there is no SSH configuration to take hosts from');
  return sshHosts([source.sshConfig ?? []].flat(), config === undefined ? undefined : absolutePath(config, folder));
}

function asHost({ name: _name, groups, ...login }: InventoryHost, more: readonly string[]): Hosts[string] {
  return { ...login, groups: [...new Set([...groups, ...more])], roles: [], labels: {}, protected: false };
}

/** What `over` says wins; groups and roles add up, and who is protected anywhere is protected. */
function merge(base: Hosts[string], over: Hosts[string] | undefined): Hosts[string] {
  if (over === undefined) return base;
  const said = Object.fromEntries(Object.entries(over).filter(([, value]) => value !== undefined));
  return {
    ...base,
    ...said,
    groups: [...new Set([...base.groups, ...over.groups])],
    roles: [...new Set([...base.roles, ...over.roles])],
    labels: { ...base.labels, ...over.labels },
    protected: base.protected || over.protected,
  };
}
