/** What a lab writes for those who use it: keys and passwords, the environment file, known_hosts, ssh_config. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lab } from './host-environment.ts';
import {
  databaseHosts,
  databaseName,
  databaseUsers,
  hostGroup,
  type LabHost,
  labHosts,
  labPaths,
  labPorts,
  loginOf,
  loopback,
} from './layout.ts';
import { nodeCommands, type Passwords } from './node-commands.ts';
import { generateKeyPair, knownHostsLine } from './ssh-keys.ts';

export interface LabSecrets {
  readonly passwords: Passwords;
  /** The public line of the one key that opens every host. */
  readonly clientPublicKey: string;
  /** Private host keys. */
  readonly hostKeys: Readonly<Record<LabHost, string>>;
}

/** Makes fresh keys and passwords and writes everything; files with secrets are for their owner only. */
export function writeLabFiles(lab: Lab): LabSecrets {
  const paths = labPaths(lab.dir);
  mkdirSync(paths.keys, { mode: 0o700 });
  const client = generateKeyPair();
  writeFileSync(paths.clientKey, client.private, { mode: 0o600 });
  const ports = labPorts(lab.record.basePort).ssh;
  const pairs = labHosts.map((host) => ({ host, pair: generateKeyPair() }));
  for (const { host, pair } of pairs) writeFileSync(join(paths.keys, `host-${host}`), pair.private, { mode: 0o600 });
  const known = pairs.map(({ host, pair }) => knownHostsLine(loopback, ports[host], pair.public).trimEnd());
  writeFileSync(paths.knownHosts, `${known.join('\n')}\n`);
  const passwords = { admin: newPassword(), replication: newPassword(), shop: newPassword() };
  for (const name of ['admin', 'replication', 'shop'] as const)
    writeFileSync(paths.password(name), `${passwords[name]}\n`, { mode: 0o600 });
  writeFileSync(paths.sshConfig, renderSshConfig(lab));
  writeFileSync(paths.environment, renderEnvironment(lab));
  const hostKeys = Object.fromEntries(pairs.map(({ host, pair }) => [host, pair.private])) as Record<LabHost, string>;
  return { passwords, clientPublicKey: client.public, hostKeys };
}

function newPassword(): string {
  return randomBytes(16).toString('hex');
}

/** JSON strings are YAML strings. */
const quote = (text: string): string => JSON.stringify(text);

/** The lab as an environment file, the same format people write for their own systems. */
export function renderEnvironment(lab: Lab): string {
  const ports = labPorts(lab.record.basePort);
  const hosts = labHosts.map((host) => {
    const login = loginOf(host) === 'shop' ? '' : `, user: ${loginOf(host)}`;
    const more = host === 'lb' ? ', protected: true' : '';
    return `  ${host}: { address: ${loopback}, port: ${ports.ssh[host]}${login}, groups: [${hostGroup(host)}]${more} }`;
  });
  const nodes = databaseHosts.map((host) => {
    const { start, stop } = nodeCommands(lab, host);
    const fields = {
      address: loopback,
      port: ports.database[host],
      dataDir: quote(labPaths(lab.dir).data(host)),
      binDir: quote(lab.record.postgres.binDir),
      start: quote(start),
      stop: quote(stop),
    };
    return [`      ${host}:`, ...Object.entries(fields).map(([name, value]) => `        ${name}: ${value}`)].join('\n');
  });
  return `# The practice shop, lab ${lab.record.id}. Written by chaos; gone with the lab.
apiVersion: chaos/v1
kind: Environment
name: lab
tier: lab
ssh: { config: none, user: shop, identityFile: keys/id_ed25519, knownHosts: known_hosts, agent: false }
hosts:
${hosts.join('\n')}
databases:
  orders:
    engine: postgresql
    database: ${databaseName}
    admin: { user: ${databaseUsers.admin}, password: "\${file:keys/admin-password}" }
    replication: { user: ${databaseUsers.replication}, password: "\${file:keys/replication-password}" }
    roles: { primary: db-primary, standby: db-standby }
    nodes:
${nodes.join('\n')}
probes:
  checkout: { http: { url: "${shopUrl(lab)}", method: POST, rate: 10/s, timeout: 1s } }
  orders-ledger: { postgres-ledger: { database: orders, rate: 50/s, connections: 4, timeout: 2s } }
slos:
  checkout-errors: { probe: checkout, measure: error-rate, window: 10s, fatal: "> 5%" }
  checkout-latency: { probe: checkout, measure: p90, window: 10s, severe: "> 500ms", fatal: "> 900ms" }
guards: { maxTargets: 2, maxShare: 50% }
`;
}

/** The environment of any lab, with ports and paths of none: enough to check an experiment against before a lab is started for it. */
export function environmentShape(): string {
  const nobody = { pid: 1, start: '' };
  const postgres = { binDir: '/nonexistent', version: '0' };
  return renderEnvironment({
    dir: '/nonexistent',
    record: {
      version: 1,
      id: '000000',
      state: 'starting',
      startedAt: '',
      starter: nobody,
      replication: 'sync',
      postgres,
      basePort: 20_000,
    },
  });
}

/** Where a customer buys. */
export function shopUrl(lab: Lab): string {
  return `http://${loopback}:${labPorts(lab.record.basePort).shop}/checkout`;
}

function renderSshConfig(lab: Lab): string {
  const paths = labPaths(lab.dir);
  const ports = labPorts(lab.record.basePort).ssh;
  const hosts = labHosts.map((host) => `Host ${host}\n  Port ${ports[host]}\n  User ${loginOf(host)}\n`);
  const common = [
    'Host *',
    `  HostName ${loopback}`,
    `  IdentityFile "${paths.clientKey}"`,
    '  IdentitiesOnly yes',
    '  IdentityAgent none',
    `  UserKnownHostsFile "${paths.knownHosts}"`,
    '  StrictHostKeyChecking yes',
    '  LogLevel ERROR',
  ];
  return `${hosts.join('\n')}\n${common.join('\n')}\n`;
}
