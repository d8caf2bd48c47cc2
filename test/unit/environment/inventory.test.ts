import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseEnvironment } from '../../../src/environment/load.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chaos-test-inventory-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, text: string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}

function load(lines: string) {
  const text = `apiVersion: chaos/v1\nkind: Environment\nname: staging\ntier: staging\n${lines}`;
  return parseEnvironment(text, join(folder, 'staging.yaml'), new Map());
}

function hostsOf(lines: string) {
  const parsed = load(lines);
  if (!parsed.ok) throw new Error(parsed.diagnostics.map(({ summary, detail }) => `${summary} ${detail ?? ''}`).join('; '));
  return parsed.value.environment.hosts;
}

function mistakesOf(lines: string): string[] {
  const parsed = load(lines);
  if (parsed.ok) throw new Error('it is taken');
  return parsed.diagnostics.map(({ line, column, summary, detail }) => `${line}:${column} ${summary} ${detail ?? ''}`.trim());
}

describe('an Ansible inventory', () => {
  const ini = `# the fleet
mail.example.com

[web]
web[01:03].example.com ansible_user=deploy  # the front
"web-9" ansible_host=10.0.0.9 ansible_port=2222

[db]
db-[a:b] ansible_ssh_private_key_file=keys/db
here ansible_connection=local

[shop:children]
web
db

[shop:vars]
ansible_user = shop
ansible_become = true
`;

  test('in INI form gives hosts, their groups through others, and how they are reached', () => {
    write('inventory.ini', ini.replace('"web-9"', 'web-9'));

    const hosts = hostsOf('from: { ansible: inventory.ini, groups: [fleet] }\n');

    expect(Object.keys(hosts)).toEqual([
      'mail.example.com',
      'web01.example.com',
      'web02.example.com',
      'web03.example.com',
      'web-9',
      'db-a',
      'db-b',
    ]);
    expect(hosts['mail.example.com']).toMatchObject({ groups: ['fleet'] });
    expect(hosts['web02.example.com']).toMatchObject({ user: 'deploy', become: 'sudo', groups: ['shop', 'web', 'fleet'] });
    expect(hosts['web-9']).toMatchObject({ address: '10.0.0.9', port: 2222, user: 'shop' });
    expect(hosts['db-a']).toMatchObject({ identityFile: join(folder, 'keys/db'), groups: ['shop', 'db', 'fleet'] });
  });

  test('in YAML form gives the same, with the files of variables beside it', () => {
    write(
      'inventory.yaml',
      `all:
  vars: { ansible_user: everybody }
  children:
    web:
      hosts:
        web[1:2]:
        web3: { ansible_host: 10.0.0.3 }
    db:
      hosts: { web3: , db1: { ansible_port: 22022 } }
`,
    );
    write('group_vars/db.yml', 'ansible_user: dba\nansible_become: yes\n');
    write('group_vars/web', '$ANSIBLE_VAULT;1.1;AES256\n6162\n');
    write('host_vars/web1.yaml', 'ansible_user: one\n');

    const hosts = hostsOf('from: [{ ansible: inventory.yaml }]\n');

    expect(hosts.web1).toMatchObject({ user: 'one', groups: ['web'] });
    expect(hosts.web2).toMatchObject({ user: 'everybody', groups: ['web'] });
    expect(hosts.web3).toMatchObject({ user: 'dba', address: '10.0.0.3' });
    expect(hosts.web3?.groups.toSorted()).toEqual(['db', 'web']);
    expect(hosts.db1).toMatchObject({ port: 22022, become: 'sudo' });
  });

  test('what the environment file says of a host beats it, and adds to its groups', () => {
    write('inventory.ini', '[web]\nweb-1 ansible_user=a ansible_host=10.0.0.1\n');

    const hosts = hostsOf('from: { ansible: inventory.ini }\nhosts:\n  web-1: { user: b, groups: [canary], protected: true }\n  own: {}\n');

    expect(hosts['web-1']).toMatchObject({ user: 'b', address: '10.0.0.1', groups: ['web', 'canary'], protected: true });
    expect(Object.keys(hosts)).toEqual(['web-1', 'own']);
  });

  test.each([
    ['[web\nweb-1', 'inventory.ini:1: "[web" is neither a name nor a range'],
    ['[web:wars]\n', '[web:wars] is no section'],
    ['web-1 user', 'inventory.ini:1: expected NAME=VALUE after the host, got "user"'],
    ['web[9:1]', 'the range in "web[9:1]" holds nothing'],
    ['web[1:20000]', 'more than 10000 hosts'],
    ['web-1 ansible_host={{lookup}}', 'ansible_host of web-1 is a template'],
    ['web-1 ansible_port=ssh', 'the port ssh of web-1 is none'],
    ['w;rm', 'cannot be the name of a host'],
    ['#!/usr/bin/python3\n', 'ansible-inventory -i'],
    ['all:\n  hosts: [a]\n', 'is no group of an Ansible inventory'],
    ['all:\n  hosts: {a\n', 'inventory.ini: '],
  ])('that holds %j is refused at its place in the environment file', (text, message) => {
    write('inventory.ini', text);

    const [first = ''] = mistakesOf('from:\n  - ansible: inventory.ini\n');

    expect(first).toMatch(/^6:/);
    expect(first).toContain(message);
  });

  test('that is not there, or a folder, is refused', () => {
    expect(mistakesOf('from: { ansible: nowhere }\n').join()).toContain('nowhere is not there');
    expect(mistakesOf('from: { ansible: . }\n').join()).toContain('is a folder');
  });
});

describe('the SSH configuration', () => {
  const config = `Host *
  User x
Host web-1 web-2 *.internal !web-9
  User deploy
Include ${'$'}CONF
host="db-1"
`;

  test('gives the hosts that it spells out and that match, also those of included files', () => {
    write('more/a.conf', 'Host web-3\n');
    write('ssh_config', config.replace('$CONF', join(folder, 'more/*.conf')));

    const hosts = hostsOf('ssh: { config: ssh_config }\nfrom: { sshConfig: "web-?", groups: [web] }\n');

    expect(Object.keys(hosts)).toEqual(['web-1', 'web-2', 'web-3']);
    expect(hosts['web-3']).toMatchObject({ groups: ['web'] });
    expect(hosts['web-1']?.user).toBeUndefined();
    expect(Object.keys(hostsOf('ssh: { config: ssh_config }\nfrom: { sshConfig: ["db-*", web-1] }\n'))).toEqual(['web-1', 'db-1']);
  });

  test('an include of itself ends', () => {
    write('ssh_config', `Include ${join(folder, 'ssh_config')}\nHost a\n`);

    expect(Object.keys(hostsOf('ssh: { config: ssh_config }\nfrom: { sshConfig: "*" }\n'))).toEqual(['a']);
  });

  test.each([
    ['ssh: { config: ssh_config }\nfrom: { sshConfig: "nothing*" }\n', 'matches nothing*'],
    ['ssh: { config: missing }\nfrom: { sshConfig: "*" }\n', 'missing is not there'],
    ['ssh: { config: none }\nfrom: { sshConfig: "*" }\n', 'ssh.config is none'],
    ['from: { groups: [web] }\n', 'expected exactly one of sshConfig and ansible'],
    ['from: []\n', 'expected at least one host'],
  ])('%j is refused', (lines, message) => {
    write('ssh_config', config);

    expect(mistakesOf(lines).join()).toContain(message);
  });
});
