/** The INI form of an Ansible inventory. */

import { InventoryError } from './contract.ts';
import { type Groups, groupOf } from './groups.ts';
import { expandRange } from './ranges.ts';

export function parseIni(text: string, file: string): Groups {
  const groups: Groups = new Map();
  let section = { name: 'ungrouped', kind: 'hosts' };
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/(?:^|\s)[#;].*$/, '').trim();
    if (line === '') continue;
    const wrong = (what: string): InventoryError => new InventoryError(`${file}:${index + 1}: ${what}`);
    const header = /^\[([^:\]\s]+)(?::(\w+))?\]$/.exec(line);
    if (header !== null) {
      const [, name = '', kind = 'hosts'] = header;
      if (!['hosts', 'children', 'vars'].includes(kind))
        throw wrong(`[${name}:${kind}] is no section: there are [NAME], [NAME:children] and [NAME:vars]`);
      section = { name, kind };
      groupOf(groups, name);
      continue;
    }
    const group = groupOf(groups, section.name);
    if (section.kind === 'children') group.children.add(line);
    else if (section.kind === 'vars') {
      const [, key, value] = /^([^=\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (key === undefined) throw wrong(`expected NAME=VALUE, got ${JSON.stringify(line)}`);
      group.variables[key] = unquote(value ?? '');
    } else {
      const [pattern = '', ...rest] = [...line.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) => word);
      const variables = rest.map((word): [string, string] => {
        const at = word.indexOf('=');
        if (at < 1) throw wrong(`expected NAME=VALUE after the host, got ${JSON.stringify(word)}`);
        return [word.slice(0, at), unquote(word.slice(at + 1))];
      });
      const [, bare = pattern, port] = /^([^:[\]]+):(\d+)$/.exec(pattern) ?? [];
      for (const host of expandRange(bare, wrong)) {
        group.hosts.set(host, { ...(port === undefined ? {} : { ansible_port: port }), ...Object.fromEntries(variables) });
      }
    }
  }
  return groups;
}

function unquote(value: string): string {
  return /^(["']).*\1$/s.test(value) ? value.slice(1, -1) : value;
}
