/** A parsed environment as the parts of a plan: defaults filled in, paths absolute, secrets still references. */
import { userInfo } from 'node:os';
import path from 'node:path';
import { shellQuote } from '../core/text.ts';
import type { DatabaseCluster, DatabaseNode, PlannedAbortRule, PlannedHost, PlannedProbe, PlannedSlo } from '../plan/plan.ts';
import { measureUnit } from './checks.ts';
import type { EnvironmentFile } from './load.ts';
import { absolutePath, absoluteReferences } from './references.ts';
import type { Environment, tiers } from './schema.ts';
import type { Labels } from './select.ts';

/** `roles`: how selectors name who is primary and standby; not part of a plan's cluster. */
export type EnvironmentDatabase = DatabaseCluster & { readonly roles: { readonly primary: string; readonly standby: string } };

export interface SshSettings {
  /** Absolute; absent: what `ssh` reads by itself. */
  readonly config?: string;
  /** By host: what the environment file says of it. */
  readonly explicit: Readonly<Record<string, ExplicitLogin>>;
}

export interface ExplicitLogin {
  readonly address?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly identityFile?: string | readonly string[] | undefined;
  readonly knownHosts?: string | readonly string[] | undefined;
  readonly agent?: boolean | undefined;
}

export interface EnvironmentModel {
  readonly name: string;
  readonly tier: (typeof tiers)[number];
  /** Absolute. */
  readonly file: string;
  /** How the operator's own ssh reaches the hosts; absent: it is not asked. What the environment file says wins. */
  readonly ssh?: SshSettings;
  /** `roles` holds the static ones only. */
  readonly hosts: readonly PlannedHost[];
  /** Hosts marked `protected` and those that the guards name, which need not be in `hosts`. */
  readonly protectedHosts: readonly string[];
  readonly labels: Labels;
  readonly databases: readonly EnvironmentDatabase[];
  readonly probes: readonly PlannedProbe[];
  readonly slos: readonly PlannedSlo[];
  /** What the environment allows at most; absent: no limit of its own. `maxShare` is a ratio 0–1. */
  readonly guards: { readonly maxTargets?: number; readonly maxShare?: number; readonly budgetAllowance?: number };
  readonly abort: PlannedAbortRule | 'off';
}

export function resolveEnvironment(parsed: EnvironmentFile): EnvironmentModel {
  const folder = path.dirname(parsed.file);
  const environment = absoluteReferences(parsed.environment, folder);
  const { maxTargets, maxShare, budget } = environment.guards;
  const marked = Object.entries(environment.hosts).flatMap(([name, host]) => (host.protected ? [name] : []));
  return {
    name: environment.name,
    tier: environment.tier,
    file: parsed.file,
    ...(environment.ssh.config === 'none' ? {} : { ssh: sshSettings(environment, folder) }),
    hosts: Object.entries(environment.hosts).map(([name, host]) => plannedHost(name, host, environment.ssh, folder)),
    protectedHosts: [...new Set([...marked, ...environment.guards.protected])],
    labels: Object.fromEntries(Object.entries(environment.hosts).map(([name, host]) => [name, host.labels])),
    databases: Object.entries(environment.databases).map(([name, database]) => databaseCluster(name, database, environment)),
    probes: Object.entries(environment.probes).map(([name, probe]) => ({ name, kind: probe.kind, spec: probe.spec })),
    slos: Object.entries(environment.slos).map(([name, slo]) => plannedSlo(name, slo)),
    guards: {
      ...(maxTargets !== undefined && { maxTargets }),
      ...(maxShare !== undefined && { maxShare }),
      ...(budget.allowance !== undefined && { budgetAllowance: budget.allowance }),
    },
    abort: environment.guards.abort,
  };
}

function sshSettings({ ssh, hosts }: Environment, folder: string): SshSettings {
  const explicit = Object.entries(hosts).map(([name, host]): [string, ExplicitLogin] => [
    name,
    {
      address: host.address,
      port: host.port ?? ssh.port,
      user: host.user ?? ssh.user,
      identityFile: host.identityFile ?? ssh.identityFile,
      knownHosts: host.knownHosts ?? ssh.knownHosts,
      agent: ssh.agent,
    },
  ]);
  return { ...(ssh.config === undefined ? {} : { config: absolutePath(ssh.config, folder) }), explicit: Object.fromEntries(explicit) };
}

function plannedHost(name: string, host: Environment['hosts'][string], ssh: Environment['ssh'], folder: string): PlannedHost {
  const files = (value: string | readonly string[] | undefined): string[] =>
    (value === undefined ? [] : typeof value === 'string' ? [value] : value).map((file) => absolutePath(file, folder));
  return {
    id: name,
    driver: 'ssh',
    address: host.address ?? name,
    port: host.port ?? ssh.port ?? 22,
    user: host.user ?? ssh.user ?? currentUser(),
    identityFiles: files(host.identityFile ?? ssh.identityFile),
    ...(ssh.passphrase === undefined ? {} : { passphrase: ssh.passphrase }),
    agent: ssh.agent ?? true,
    knownHostsFiles: files(host.knownHosts ?? ssh.knownHosts ?? '~/.ssh/known_hosts'),
    become: host.become ?? ssh.become ?? 'none',
    jumps: [],
    groups: host.groups,
    roles: host.roles,
  };
}

/** A user id without an account entry, as in some containers, has no name. */
function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? 'nobody';
  }
}

function databaseCluster(name: string, database: Environment['databases'][string], environment: Environment): EnvironmentDatabase {
  const { engine, admin, replication, roles } = database;
  return {
    name,
    engine,
    database: database.database,
    admin: account(admin),
    replication: account(replication),
    roles,
    nodes: Object.entries(database.nodes).map(([host, node]) => databaseNode(host, node, environment.hosts[host]?.address ?? host)),
  };
}

function account({ user, password }: Environment['databases'][string]['admin']): DatabaseCluster['admin'] {
  return { user, ...(password !== undefined && { password }) };
}

function databaseNode(host: string, node: Environment['databases'][string]['nodes'][string], hostAddress: string): DatabaseNode {
  const { port, dataDir, binDir, fence, unfence } = node;
  const control = `${shellQuote(path.posix.join(binDir, 'pg_ctl'))} -D ${shellQuote(dataDir)}`;
  const log = shellQuote(path.posix.join(path.posix.dirname(path.posix.normalize(dataDir)), 'postgres.log'));
  return {
    host,
    address: node.address ?? hostAddress,
    port,
    dataDir,
    binDir,
    start: node.start ?? `${control} -w -t 60 -l ${log} start`,
    stop: node.stop ?? `${control} -m fast -w stop`,
    ...(fence !== undefined && { fence }),
    ...(unfence !== undefined && { unfence }),
  };
}

function plannedSlo(name: string, slo: Environment['slos'][string]): PlannedSlo {
  const { probe, measure, window, warning, severe, fatal, objective } = slo;
  return {
    name,
    probe,
    measure,
    unit: measureUnit(measure),
    windowMs: window,
    ...(warning && { warning }),
    ...(severe && { severe }),
    ...(fatal && { fatal }),
    ...(objective && { objective: { share: objective.share, periodMs: objective.over } }),
  };
}
