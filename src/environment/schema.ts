// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to secrets are written this way
/** The schema of environment files. What a probe may hold comes from the registered probes. */
import * as z from 'zod';
import type { JsonObject } from '../core/json.ts';
import { anyComparison, duration, Name, patternText, percent, TargetName } from '../experiment/scalars.ts';
import type { ProbeDefinition } from '../probes/contract.ts';
import { checkEnvironment } from './checks.ts';
import { withInventory } from './inventory/index.ts';
import { absolutePath } from './references.ts';

export type ProbeRegistry = ReadonlyMap<string, ProbeDefinition>;

export const tiers = ['lab', 'dev', 'staging', 'production'] as const;
const sloMeasures = ['error-rate', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max', 'value', 'value-max', 'value-min', 'value-mean'] as const;

/** A whole value that is one reference: passwords never stand in a file. */
const Secret = patternText(
  /^\$\{[^}]*\}$/,
  {
    code: 'literal-secret',
    expected: 'a reference, never the secret itself',
    repair: () => ({ help: 'for example "${file:keys/password}" or "${env:DB_PASSWORD}"' }),
    secret: true,
  },
  '${file:keys/password}',
);
const AbsolutePath = patternText(
  /^\/[^\0\n]*$/,
  { code: 'bad-path', expected: 'an absolute path on the host' },
  '/var/lib/postgresql/15/main',
);
const Address = patternText(/^[^\s\0/@]+$/, { code: 'bad-address', expected: 'a host name or IP address' }, '10.0.0.7');
const User = patternText(/^[^\s\0:@-][^\s\0:@]*$/, { code: 'bad-name', expected: 'the name of a login' }, 'deploy');
const File = patternText(/^[^\0\n]+$/, { code: 'bad-path', expected: 'the path of a file' }, '~/.ssh/id_ed25519');
const Shell = patternText(/^(?=[\s\S]*\S)[^\0]*$/, { code: 'bad-value', expected: 'a shell command' }, 'systemctl start postgresql');
const HostPattern = patternText(/^[^\s!,]+$/, { code: 'bad-value', expected: 'a pattern of host names' }, 'web-*');
const Port = z.int().min(1).max(65_535);
const Files = z.union([File, z.array(File).min(1)]);

const Become = z.enum(['none', 'sudo']);

const Ssh = z.strictObject({
  config: z
    .union([z.literal('none'), File])
    .optional()
    .meta({ description: 'SSH client configuration that says how hosts are reached, or `none`. Default: those that `ssh` itself reads.' }),
  user: User.optional().meta({ description: 'Login on the hosts. Default: who runs chaos.' }),
  port: Port.optional().meta({ description: 'Default 22.' }),
  identityFile: Files.optional().meta({ description: 'Private key file, or several tried in order. Default: the agent only.' }),
  passphrase: Secret.optional().meta({
    description: 'Of encrypted key files, as a reference. Default: encrypted keys are left to the agent.',
  }),
  knownHosts: Files.optional().meta({ description: 'Files with the host keys that are trusted. Default ~/.ssh/known_hosts.' }),
  agent: z.boolean().optional().meta({ description: 'Offer the keys of the SSH agent as well. Default true.' }),
  become: Become.optional().meta({
    description: 'How faults that need root become it: `sudo` (without a password) or `none`. Default none.',
  }),
});

const Host = z.strictObject({
  address: Address.optional().meta({ description: 'Default: the name of the host.' }),
  port: Port.optional().meta({ description: 'SSH port. Default: that of `ssh`.' }),
  user: User.optional().meta({ description: 'Login. Default: that of `ssh`.' }),
  identityFile: Files.optional().meta({ description: 'Private keys. Default: those of `ssh`.' }),
  knownHosts: Files.optional().meta({ description: 'Trusted host keys. Default: those of `ssh`.' }),
  become: Become.optional().meta({ description: 'How faults become root here. Default: that of `ssh`.' }),
  groups: z.array(TargetName).default([]).meta({ description: 'For selectors and for shares. Default none.' }),
  roles: z
    .array(TargetName)
    .default([])
    .meta({ description: 'Roles that never move; database roles are asked from the servers. Default none.' }),
  labels: z.record(z.string().min(1), z.string()).default({}).meta({ description: 'For selectors. Default none.' }),
  protected: z.boolean().default(false).meta({ description: 'Never a target. Default false.' }),
});

const Inventory = z
  .strictObject({
    sshConfig: z
      .union([HostPattern, z.array(HostPattern).min(1)])
      .optional()
      .meta({
        description:
          'Hosts that the SSH configuration spells out (`Host web-1 web-2`), by patterns with * and ?. Either this or `ansible`.',
        examples: ['web-*'],
      }),
    ansible: File.optional().meta({
      description: 'An Ansible inventory in INI or YAML, with its groups; group_vars and host_vars beside it are read. Not a program.',
      examples: ['inventory.ini'],
    }),
    groups: z
      .array(TargetName)
      .default([])
      .meta({ description: 'Groups that all of these hosts are in, besides their own. Default none.' }),
  })
  .refine(({ sshConfig, ansible }) => (sshConfig === undefined) !== (ansible === undefined), {
    error: 'expected exactly one of sshConfig and ansible',
  });

const Account = z.strictObject({
  user: User.meta({ description: 'Name of the database role.' }),
  password: Secret.optional().meta({ description: 'A reference. Default: none is sent.' }),
});

const DatabaseNode = z.strictObject({
  address: Address.optional().meta({
    description: 'How probes, peers and the host itself reach the server. Default: the address of the host.',
  }),
  port: Port.default(5432).meta({ description: 'Default 5432.' }),
  dataDir: AbsolutePath.meta({ description: 'Data directory of the server.', examples: ['/var/lib/postgresql/15/main'] }),
  binDir: AbsolutePath.meta({ description: 'Folder of pg_ctl and its companions.', examples: ['/usr/lib/postgresql/15/bin'] }),
  start: Shell.optional().meta({ description: 'Starts the server and returns when it is up. Default: pg_ctl start.' }),
  stop: Shell.optional().meta({ description: 'Stops the server and returns when it is down. Default: pg_ctl stop, mode fast.' }),
  fence: Shell.optional().meta({
    description: 'Keeps a supervisor from starting the server again, for example `systemctl mask`. Needs `unfence`.',
  }),
  unfence: Shell.optional().meta({ description: 'Undoes `fence`.' }),
});

const Database = z.strictObject({
  engine: z.literal('postgresql').meta({ description: 'PostgreSQL with streaming replication.' }),
  database: z
    .string()
    .min(1)
    .max(63)
    .meta({ description: 'Database to connect to.', examples: ['shop'] }),
  admin: Account.meta({
    description: 'May promote, read replication state and change settings.',
    examples: [{ user: 'chaos_admin', password: '${file:keys/admin}' }],
  }),
  replication: Account.meta({
    description: 'With it a standby connects to its primary.',
    examples: [{ user: 'replicator', password: '${file:keys/replication}' }],
  }),
  roles: z
    .strictObject({
      primary: TargetName.default('db-primary').meta({ description: 'Default db-primary.' }),
      standby: TargetName.default('db-standby').meta({ description: 'Default db-standby.' }),
    })
    .prefault({})
    .meta({ description: 'Role names for selectors; who holds them is asked from the servers when the plan is made.' }),
  nodes: z.record(TargetName, DatabaseNode).meta({
    description: 'The servers, by the name of the host they run on.',
    examples: [{ 'db-a': { dataDir: '/var/lib/postgresql/15/main', binDir: '/usr/lib/postgresql/15/bin' } }],
  }),
});

const Slo = z.strictObject({
  probe: Name.meta({ description: 'A probe of this environment.', examples: ['checkout'] }),
  measure: z.enum(sloMeasures).meta({
    description:
      'Share of samples that are not ok; a quantile or the maximum of the latency; or the last, largest, smallest or mean value that the probe read.',
  }),
  window: duration({ min: '1s', max: '1h' }).meta({
    description: 'Measured over the last so long, 1s to 1h. Shorter reacts faster, longer is calmer.',
    examples: ['10s'],
  }),
  warning: anyComparison().optional().meta({ description: 'Noted in the report.' }),
  severe: anyComparison().optional().meta({ description: 'No longer steady.' }),
  fatal: anyComparison().optional().meta({ description: 'Aborts the run.' }),
  objective: z
    .strictObject({
      share: percent().meta({ description: 'Share of samples that must be good, below 100%.', examples: ['99.9%'] }),
      over: duration({ min: '1h', max: '366d' }).meta({ description: 'Over this period, 1h to 366d.', examples: ['30d'] }),
    })
    .optional()
    .meta({
      description:
        'What is promised to users in the long run. With it the report says how much of the error budget a run spent. Default none.',
      examples: [{ share: '99.9%', over: '30d' }],
    }),
});

const AbortRule = z.strictObject({
  bad: z.int().min(1).max(500).default(5).meta({
    description:
      'So many bad samples among the last `of` stop the run, at once, without waiting for a window. Bad: failed, or slower than the SLO’s fatal limit. Never fewer than the SLO tolerates, and raised where the baseline asks for it. Higher: slower to stop, fewer false alarms. 1 to 500, at most half of `of`. Default 5.',
  }),
  of: z.int().min(10).max(1_000).default(100).meta({ description: 'How many of the last samples are looked at, 10 to 1000. Default 100.' }),
  consecutive: z.int().min(2).max(1_000).default(3).meta({
    description: 'So many failures in a row stop the run, 2 to 1000. Raise it where a short outage is part of normal. Default 3.',
  }),
});

const Guards = z.strictObject({
  maxTargets: z.int().min(1).max(10_000).optional().meta({ description: 'Most hosts one step may hit, whatever an experiment says.' }),
  maxShare: percent().optional().meta({ description: 'Largest share of a group that may be hit, whatever an experiment says.' }),
  protected: z.array(TargetName).default([]).meta({ description: 'Hosts that are never a target. Default none.' }),
  budget: z
    .strictObject({
      allowance: percent()
        .optional()
        .meta({
          description:
            'So much of the error budget of an SLO with an objective may be spent by one run, at worst: everything fails until the announced impact is over, the SLO has noticed and the faults are undone. Default 2%.',
          examples: ['2%'],
        }),
    })
    .prefault({})
    .meta({ description: 'Refuses runs that could cost too much of an error budget.', examples: [{ allowance: '2%' }] }),
  abort: z
    .union([z.literal('off'), AbortRule])
    .prefault({})
    .meta({
      description: 'When bad samples stop a run outside the announced impact, besides fatal levels. `off`: never; plan and report say so.',
      examples: [{ bad: 10, of: 100, consecutive: 5 }],
    }),
});

export type ProbeEntry = { readonly kind: string; readonly spec: JsonObject };

/** One probe: a map with one key, its kind. */
function probeEntry(probes: ProbeRegistry, folder: string): z.ZodType<ProbeEntry, unknown> {
  const kinds = [...probes.values()].map((probe) => [probe.kind, probe.spec.optional().meta({ description: probe.summary })] as const);
  const fields: Record<string, z.ZodType<unknown>> = Object.fromEntries(kinds);
  return z
    .strictObject(fields)
    .meta({ minProperties: 1, maxProperties: 1 })
    .transform((entry, context): ProbeEntry => {
      const [first, ...others] = Object.entries(entry).filter(([, spec]) => spec !== undefined);
      if (first !== undefined && others.length === 0) {
        const [kind, spec] = first as [string, JsonObject];
        return { kind, spec: withAbsoluteFiles(spec, probes.get(kind)?.files ?? [], folder) };
      }
      const message = `expected exactly one kind of probe, got ${first === undefined ? 'none' : Object.keys(entry).join(' and ')}\none of: ${[...probes.keys()].join(', ')}`;
      context.addIssue({ code: 'custom', params: { code: 'bad-probe' }, message });
      return z.NEVER;
    });
}

/** The file of a CA, for example, so that a plan means the same wherever chaos is started. */
function withAbsoluteFiles(spec: JsonObject, fields: readonly (readonly string[])[], folder: string): JsonObject {
  return fields.reduce(
    (changed, field) => mapField(changed, field, (text) => (/[\n$]/.test(text) ? text : absolutePath(text, folder))),
    spec,
  );
}

function mapField(spec: JsonObject, [key = '', ...inner]: readonly string[], change: (text: string) => string): JsonObject {
  const value = spec[key];
  if (inner.length === 0) return typeof value === 'string' ? { ...spec, [key]: change(value) } : spec;
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return spec;
  return { ...spec, [key]: mapField(value as JsonObject, inner, change) };
}

function environmentFields(probes: ProbeRegistry, folder: string) {
  return z.strictObject({
    apiVersion: z.literal('chaos/v1').meta({ description: 'Version of the file format.' }),
    kind: z.literal('Environment'),
    name: Name.meta({ description: 'Of this place.', examples: ['staging'] }),
    tier: z.enum(tiers).meta({ description: 'How much is at stake; production needs more consent.' }),
    ssh: Ssh.prefault({}).meta({ description: 'Defaults for all hosts.' }),
    from: z
      .union([Inventory.transform((one) => [one]), z.array(Inventory)])
      .default([])
      .meta({ description: 'Hosts that other files list, besides `hosts`. Default none.', examples: [{ ansible: 'inventory.ini' }] }),
    hosts: z
      .record(TargetName, Host)
      .default({})
      .meta({ description: 'Hosts by name; what is said here beats what `from` brings.', examples: [{ 'web-1': { groups: ['web'] } }] }),
    databases: z.record(Name, Database).default({}).meta({ description: 'Database clusters by name. Default none.' }),
    probes: z.record(Name, probeEntry(probes, folder)).default({}).meta({ description: 'Probes by name. Default none.' }),
    slos: z.record(Name, Slo).default({}).meta({ description: 'Objectives by name. Default none.' }),
    guards: Guards.prefault({}).meta({ description: 'Limits that no experiment can widen.' }),
  });
}

export type Environment = z.infer<ReturnType<typeof environmentFields>>;

/** The schema over a set of probes; strict at every depth. `folder`: where the file is, for the files that it names. */
export function environmentSchema(probes: ProbeRegistry, folder = '.') {
  return environmentFields(probes, folder)
    .transform((environment, context): Environment => {
      const { hosts, mistakes } = withInventory(environment, folder, (name) => TargetName.safeParse(name).success);
      for (const { index, message } of mistakes)
        context.addIssue({ code: 'custom', params: { code: 'bad-inventory' }, path: ['from', index], message });
      return mistakes.length > 0 ? z.NEVER : { ...environment, hosts };
    })
    .superRefine((environment, context) => {
      for (const { code, path, message } of checkEnvironment(environment, probes)) {
        context.addIssue({ code: 'custom', params: { code }, path: [...path], message });
      }
    });
}
