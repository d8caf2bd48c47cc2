/**
 * Hosts and groups of an Ansible inventory: INI or YAML, with `group_vars` and `host_vars` beside it. Of the variables only those count that say how
 * a host is reached; a later one beats an earlier: group `all`, parent groups, child groups, the host itself.
 * https://docs.ansible.com/ansible/latest/inventory_guide/intro_inventory.html
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { absolutePath } from '../references.ts';
import { parseIni } from './ansible-ini.ts';
import { parseYaml } from './ansible-yaml.ts';
import { InventoryError, type InventoryHost } from './contract.ts';
import type { Groups, Variables } from './groups.ts';

export function ansibleHosts(file: string): InventoryHost[] {
  const text = read(file);
  const groups = /^\s*(?:---|[\w"'-]+\s*:\s*(?:$|#|\{))/m.test(firstLine(text)) ? parseYaml(text, file) : parseIni(text, file);
  const names = [...new Set([...groups.values()].flatMap(({ hosts }) => [...hosts.keys()]))];
  return names.flatMap((name) => hostOf(name, groups, file) ?? []);
}

function read(file: string): string {
  if (!existsSync(file)) throw new InventoryError(`${file} is not there`);
  if (statSync(file).isDirectory()) throw new InventoryError(`${file} is a folder: name the inventory file in it`);
  const text = readFileSync(file, 'utf8');
  if (text.startsWith('#!'))
    throw new InventoryError(
      `${file} is a program\nwrite what it gives to a file: ansible-inventory -i ${file} --list --yaml > inventory.yaml`,
    );
  return text;
}

/** The first that says something. */
function firstLine(text: string): string {
  return text.split('\n').find((line) => line.trim() !== '' && !/^\s*[#;]/.test(line)) ?? '';
}

/** `undefined` for one that is not reached over SSH. */
function hostOf(name: string, groups: Groups, file: string): InventoryHost | undefined {
  const own = ancestry(name, groups);
  const folder = path.dirname(file);
  const layers = [
    beside(folder, 'group_vars', 'all'),
    groups.get('all')?.variables ?? {},
    ...own.flatMap((group) => [beside(folder, 'group_vars', group), groups.get(group)?.variables ?? {}]),
    ...[...groups.values()].map(({ hosts }) => hosts.get(name) ?? {}),
    beside(folder, 'host_vars', name),
  ];
  const variables: Variables = Object.assign({}, ...layers);
  const word = (...keys: readonly string[]): string | undefined => {
    const key = keys.find((candidate) => variables[candidate] !== undefined && variables[candidate] !== null);
    if (key === undefined) return undefined;
    const value = String(variables[key]);
    if (!value.includes('{{')) return value;
    throw new InventoryError(
      `${file}: ${key} of ${name} is a template (${value})\nwrite its value, or set it for this host in the environment file`,
    );
  };
  const connection = word('ansible_connection');
  if (connection !== undefined && !['ssh', 'smart', 'paramiko', 'paramiko_ssh'].includes(connection)) return undefined;
  const [address, port, user] = [
    word('ansible_host', 'ansible_ssh_host'),
    word('ansible_port', 'ansible_ssh_port'),
    word('ansible_user', 'ansible_ssh_user'),
  ];
  const key = word('ansible_ssh_private_key_file', 'ansible_private_key_file');
  const become = word('ansible_become');
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535))
    throw new InventoryError(`${file}: the port ${port} of ${name} is none`);
  return {
    name,
    groups: own.filter((group) => group !== 'ungrouped'),
    ...(address === undefined ? {} : { address }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
    ...(key === undefined ? {} : { identityFile: absolutePath(key, folder) }),
    ...(become === undefined ? {} : { become: /^(?:true|yes|1)$/i.test(become) ? ('sudo' as const) : ('none' as const) }),
  };
}

/** The groups of a host without `all`: those it is in through others come first. */
function ancestry(host: string, groups: Groups): string[] {
  const parents = (name: string): string[] => [...groups].filter(([, { children }]) => children.has(name)).map(([parent]) => parent);
  const found: string[] = [];
  const visit = (name: string): void => {
    if (name === 'all' || found.includes(name)) return;
    found.unshift(name);
    for (const parent of parents(name)) visit(parent);
  };
  for (const [name, group] of groups) if (group.hosts.has(host)) visit(name);
  return found;
}

/** What is encrypted stays unknown: it is not needed to reach a host. */
function beside(folder: string, kind: 'group_vars' | 'host_vars', name: string): Variables {
  for (const file of ['', '.yml', '.yaml'].map((ending) => path.join(folder, kind, name + ending))) {
    if (!existsSync(file) || statSync(file).isDirectory()) continue;
    const text = readFileSync(file, 'utf8');
    if (text.startsWith('$ANSIBLE_VAULT')) continue;
    try {
      const data: unknown = parse(text, { logLevel: 'error' });
      if (data !== null && typeof data === 'object' && !Array.isArray(data)) return data as Variables;
    } catch (error) {
      throw new InventoryError(`${file}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`);
    }
  }
  return {};
}
