/** What the nodes of the cluster are like right now: asked from their files, their processes and their servers, never assumed. */
import * as z from 'zod';
import { ChaosError, describeError } from '../../../core/errors.ts';
import type { FaultContext, OperationOptions } from '../../contract.ts';
import { lsn } from './names.ts';
import { RoleRow } from './sql.ts';

export type Role =
  | { readonly kind: 'primary'; readonly timeline: string }
  | { readonly kind: 'standby' }
  /** No process serves its data folder. */
  | { readonly kind: 'down' }
  /** A process is there, but no answer: starting, stopping, hanging. */
  | { readonly kind: 'silent'; readonly because: string }
  /** Not even its host answers. */
  | { readonly kind: 'unreachable'; readonly because: string };

export interface Files {
  /** `standby.signal` is there: started, it becomes a standby. */
  readonly standbySignal: boolean;
  /** A promotion was asked for and has not begun. */
  readonly promoteSignal: boolean;
  /** Data that a clone replaced is still kept. */
  readonly replaced: boolean;
  /** A clone is half made. */
  readonly clone: boolean;
  /** Our folder under the login's home is there. */
  readonly kept: boolean;
  /** Where the server was shut down cleanly as a primary: the position of its last record. */
  readonly shutdownAt: bigint | undefined;
}

export interface NodeState {
  readonly host: string;
  readonly role: Role;
  /** Absent when the host is unreachable. */
  readonly files?: Files;
}

/** One row, checked; `CHAOS_SQL` when the server gave something else. */
export async function row<T>(context: FaultContext, id: string, schema: z.ZodType<T>, options: OperationOptions = {}): Promise<T> {
  const [first] = await rows(context, id, schema, options);
  if (first === undefined) throw new ChaosError('CHAOS_SQL', `${id} gave no row`);
  return first;
}

export async function rows<T>(
  context: FaultContext,
  id: string,
  schema: z.ZodType<T>,
  options: OperationOptions = {},
): Promise<readonly T[]> {
  const result = await context.operations.run(id, options);
  const parsed = z.array(schema).safeParse(result.rows);
  if (!parsed.success) throw new ChaosError('CHAOS_SQL', `${id} gave rows of an unknown form: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** `attempt`, or what it gave instead of an answer. An abort is never an answer. */
export async function answer<T>(context: FaultContext, attempt: () => Promise<T>): Promise<T | Error> {
  try {
    return await attempt();
  } catch (error) {
    context.signal.throwIfAborted();
    return error instanceof Error ? error : new ChaosError('CHAOS_INTERNAL', String(error));
  }
}

export async function readRole(context: FaultContext, host: string): Promise<Role | Error> {
  const found = await answer(context, () => row(context, `role-${host}`, RoleRow));
  if (found instanceof Error) return found;
  return found.recovery ? { kind: 'standby' } : { kind: 'primary', timeline: found.timeline ?? '' };
}

export async function readNode(context: FaultContext, host: string): Promise<NodeState> {
  const shell = await answer(context, () => context.operations.run(`state-${host}`));
  const role = await readRole(context, host);
  if (shell instanceof Error) {
    return { host, role: role instanceof Error ? { kind: 'unreachable', because: describeError(shell) } : role };
  }
  const facts = keyValues(shell.stdout);
  const files = filesOf(facts);
  if (!(role instanceof Error)) return { host, role, files };
  return { host, role: facts.get('running') ? { kind: 'silent', because: describeError(role) } : { kind: 'down' }, files };
}

function filesOf(facts: ReadonlyMap<string, string>): Files {
  const yes = (key: string): boolean => facts.get(key) === 'yes';
  return {
    standbySignal: yes('signal'),
    promoteSignal: yes('promote'),
    replaced: yes('replaced'),
    clone: yes('clone'),
    kept: yes('kept'),
    shutdownAt: facts.get('control') === 'shut down' ? lsn(facts.get('checkpoint') ?? '') : undefined,
  };
}

/** `key=value` lines, as the shell texts print them. */
export function keyValues(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
    }),
  );
}

/** For people: `db-a is down`. */
export function describeNode({ host, role }: NodeState): string {
  switch (role.kind) {
    case 'primary':
      return `${host} is writable on timeline ${role.timeline}`;
    case 'standby':
      return `${host} is a standby`;
    case 'down':
      return `${host} is down`;
    case 'silent':
      return `${host} runs but does not answer (${role.because})`;
    case 'unreachable':
      return `${host} cannot be reached (${role.because})`;
  }
}
