/**
 * The Plan: the engine's only input. Plain data with real targets and every command with its undo, so that what is shown, hashed,
 * journalled and executed is one and the same thing. Secrets stand in it as references only.
 */
import * as z from 'zod';
import { JsonObject } from '../core/json.ts';

const Count = z.int().min(0);
const Ms = z.number().min(0);

/** A threshold such as `> 5%`; `value` in ms, ratio 0–1 or plain, as `unit` says. */
export const PlannedComparison = z.strictObject({
  operator: z.enum(['<', '<=', '>', '>=', '==']),
  value: z.number(),
  unit: z.enum(['duration', 'ratio', 'count']),
  text: z.string(),
});

/** Of a fuse on the target: this operation arms it, lets it revert now, or undoes without it. */
export const FuseRole = z.discriminatedUnion('does', [
  z.strictObject({
    does: z.literal('arm'),
    /** How long it waits for a sign of life, s. */
    leaseS: z.int(),
    /** When it reverts in any case, s after it was armed. */
    deadlineS: z.int(),
  }),
  z.strictObject({ does: z.literal('pull') }),
  z.strictObject({ does: z.literal('undo') }),
]);

/** One command or statement on one target. `@name@` in a text stands for a value read on the target during prepare. */
export const Operation = z.strictObject({
  /** Unique in its step, for example `promote`. */
  id: z.string(),
  target: z.string(),
  stage: z.enum(['prepare', 'inject', 'verify', 'revert', 'verify-reverted']),
  via: z.enum(['shell', 'sql', 'copy']),
  /** What it is for, in a few words. */
  purpose: z.string(),
  /** The exact shell command or SQL statement; for `copy` the command whose output is read. */
  text: z.string(),
  /** `copy` only: the command that is fed with that output, and where it runs. */
  sink: z.strictObject({ target: z.string(), text: z.string() }).optional(),
  /** `sql` only: which database cluster of the plan; the node is the one on `target`. */
  database: z.string().optional(),
  /** Does it change the target? Reads may be repeated freely. */
  changes: z.boolean(),
  /** What undoes it, for people; every change before the point of no return has one. */
  undo: z.string().optional(),
  /** When it is only done under a condition: the condition, for people. */
  when: z.string().optional(),
  timeoutMs: Ms,
  /** As root, where the login is root or the environment says `become: sudo`; else as the login. */
  privileged: z.boolean().optional(),
  /** After this has been done, abort means going forward. */
  pointOfNoReturn: z.boolean().optional(),
  /** Absent where no fuse is concerned, and in plans made before reports told of fuses. */
  fuse: FuseRole.optional(),
});
export type Operation = z.infer<typeof Operation>;

/** One clause of a fault's `expect`. */
export const Expectation = z.strictObject({
  measure: z.string(),
  unit: z.enum(['duration', 'ratio', 'count']),
  /** `fault`: the fault reports it; else the name of the probe that does. */
  source: z.string(),
  comparison: PlannedComparison,
});
export type Expectation = z.infer<typeof Expectation>;

export const FaultStep = z.strictObject({
  kind: z.literal('fault'),
  /** `s1`, `s2`, … in order. */
  id: z.string(),
  fault: z.string(),
  title: z.string(),
  targets: z.array(z.string()).min(1),
  reversibility: z.enum(['reversible', 'compensable', 'irreversible']),
  /** `by-itself`: the system must recover while the fault's cause stays done; `by-revert`: only after the revert. */
  heals: z.enum(['by-itself', 'by-revert']),
  parameters: JsonObject,
  operations: z.array(Operation),
  expectations: z.array(Expectation),
  /** SLOs whose fatal level does not abort for this long after the injection began: the announced impact. */
  expectedImpact: z.strictObject({ slos: z.array(z.string()), forMs: Ms }).optional(),
  /** Held this long after verify, then reverted at once; without it the fault stays until rollback. */
  durationMs: Ms.optional(),
  /** What a reader should know: limits, what is not covered. */
  notes: z.array(z.string()),
});
export type FaultStep = z.infer<typeof FaultStep>;

export const WaitStep = z.strictObject({ kind: z.literal('wait'), id: z.string(), forMs: Ms });
export const Step = z.discriminatedUnion('kind', [FaultStep, WaitStep]);
export type Step = z.infer<typeof Step>;

export const PlannedSlo = z.strictObject({
  name: z.string(),
  probe: z.string(),
  /** `error-rate`, `p50` … `p99.9`, `max`, `value`, `value-max`, `value-min`, `value-mean`. */
  measure: z.string(),
  unit: z.enum(['duration', 'ratio', 'count']),
  windowMs: Ms,
  warning: PlannedComparison.optional(),
  severe: PlannedComparison.optional(),
  fatal: PlannedComparison.optional(),
  /** Share of good samples, 0–1, that is promised over the period. */
  objective: z.strictObject({ share: z.number().gt(0).lt(1), periodMs: Ms }).optional(),
});
export type PlannedSlo = z.infer<typeof PlannedSlo>;

export const PlannedProbe = z.strictObject({
  name: z.string(),
  kind: z.string(),
  /** As in the environment file; secrets as references. */
  spec: JsonObject,
  /** What it changes where it measures, for people. */
  changes: z.array(z.string()).optional(),
});
export type PlannedProbe = z.infer<typeof PlannedProbe>;

/** When bad samples stop a run, whatever the windows of the SLOs say. */
export const PlannedAbortRule = z.strictObject({
  /** So many bad samples among the last `of`, at least; an SLO that tolerates more is given more. */
  bad: z.int().min(1),
  of: z.int().min(1),
  /** So many failures in a row. */
  consecutive: z.int().min(1),
});
export type PlannedAbortRule = z.infer<typeof PlannedAbortRule>;

const Login = z.strictObject({
  id: z.string(),
  driver: z.literal('ssh'),
  address: z.string(),
  port: z.int().min(1).max(65535),
  user: z.string(),
  identityFiles: z.array(z.string()),
  /** User certificates; without any those beside the identity files count. */
  certificateFiles: z.array(z.string()).optional(),
  /** Of encrypted key files, as a reference. */
  passphrase: z.string().optional(),
  agent: z.boolean(),
  identitiesOnly: z.boolean().optional(),
  agentSocket: z.string().optional(),
  knownHostsFiles: z.array(z.string()),
  hostKeyAlias: z.string().optional(),
  /** What the runner runs to reach it: a shell command whose stdin and stdout are the connection. */
  proxyCommand: z.string().optional(),
});

export const PlannedHost = z.strictObject({
  ...Login.shape,
  /** How privileged operations become root when the login is not. */
  become: z.enum(['none', 'sudo']).default('none'),
  /** Hosts that the connection goes through, the one nearest to the runner first. */
  jumps: z.array(Login).default([]),
  groups: z.array(z.string()),
  /** As found when the plan was made; for database roles, asked from the servers. */
  roles: z.array(z.string()),
});
export type PlannedHost = z.infer<typeof PlannedHost>;

export const DatabaseNode = z.strictObject({
  /** The host the server runs on. */
  host: z.string(),
  /** How probes, peers and the host itself reach it. */
  address: z.string(),
  port: z.int().min(1).max(65535),
  dataDir: z.string(),
  binDir: z.string(),
  /** Shell commands on the host; each returns when done. */
  start: z.string(),
  stop: z.string(),
  /** Keeps a supervisor from starting the server again (for example `systemctl mask`), and its undo. */
  fence: z.string().optional(),
  unfence: z.string().optional(),
});
export type DatabaseNode = z.infer<typeof DatabaseNode>;

export const DatabaseCluster = z.strictObject({
  name: z.string(),
  engine: z.literal('postgresql'),
  database: z.string(),
  admin: z.strictObject({ user: z.string(), password: z.string().optional() }),
  replication: z.strictObject({ user: z.string(), password: z.string().optional() }),
  nodes: z.array(DatabaseNode).min(1),
});
export type DatabaseCluster = z.infer<typeof DatabaseCluster>;

export const GuardAnswer = z.strictObject({
  guard: z.string(),
  allowed: z.boolean(),
  /** What was compared with what: `1 target of at most 2`. */
  reason: z.string(),
  /** Refused only: what would make it pass. */
  remedy: z.string().optional(),
});
export type GuardAnswer = z.infer<typeof GuardAnswer>;

export const Plan = z.strictObject({
  version: z.literal(1),
  experiment: z.strictObject({
    name: z.string(),
    title: z.string(),
    owner: z.string(),
    tags: z.array(z.string()),
    runbook: z.string().optional(),
    hypothesis: z.string(),
    file: z.string(),
    /** SHA-256 of the file's bytes, hexadecimal. */
    sha256: z.string(),
  }),
  environment: z.strictObject({ name: z.string(), tier: z.enum(['lab', 'dev', 'staging', 'production']), file: z.string() }),
  hosts: z.array(PlannedHost),
  databases: z.array(DatabaseCluster),
  probes: z.array(PlannedProbe),
  slos: z.array(PlannedSlo),
  /** Absent in plans made before there was one: as if it were off. */
  abort: z.union([z.literal('off'), PlannedAbortRule]).optional(),
  steadyState: z.strictObject({ baselineMs: Ms, recovery: z.strictObject({ withinMs: Ms, holdMs: Ms }) }),
  steps: z.array(Step).min(1),
  limits: z.strictObject({ maxTargets: Count, maxShare: z.number().min(0).max(1), maxDurationMs: Ms }),
  timeouts: z.strictObject({ connectMs: Ms, prepareMs: Ms, rollbackMs: Ms }),
  guards: z.array(GuardAnswer),
  /** SHA-256 over everything above but `guards`, hexadecimal. */
  hash: z.string(),
});
export type Plan = z.infer<typeof Plan>;

/** A plan that no guard has looked at yet. */
export type PlanDraft = Omit<Plan, 'guards' | 'hash'>;
