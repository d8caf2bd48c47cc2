/**
 * Runs planned operations and nothing else: a fault names an operation by its id, the text that is executed is the one in the plan.
 * Every operation is journalled; one that changes a target is journalled before it is sent.
 */
import { pipeline } from 'node:stream/promises';
import { assertNever } from '../core/assert-never.ts';
import { CleanupStack } from '../core/cleanup-stack.ts';
import type { Clock } from '../core/clock.ts';
import { ChaosError, describeError } from '../core/errors.ts';
import { mapLimit } from '../core/limit.ts';
import { tail } from '../core/text.ts';
import { milliseconds } from '../core/units.ts';
import type { ArmedCommand, CommandRequest, CommandResult } from '../drivers/contract.ts';
import type { OperationOptions, OperationResult, Operations } from '../faults/contract.ts';
import type { Recorder } from '../journal/writer.ts';
import type { FaultStep, Operation } from '../plan/plan.ts';
import type { Leases } from './leases.ts';
import { accepted, summary } from './operation-result.ts';
import type { Sessions } from './sessions.ts';
import { fillShell, fillSql, fillStdin } from './variables.ts';

export interface OperationParts {
  readonly runId: string;
  readonly step: FaultStep;
  readonly sessions: Sessions;
  readonly leases: Leases;
  readonly record: Recorder;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  secret(text: string): string;
}

/** When a pipe breaks, each end may still say why for this long, ms; then the one that hangs is ended. */
const lastWords = 1_000;

/** Targets made ready at once for a common beginning; each has a connection of its own. */
const armLimit = 64;

interface Journalled {
  readonly operation: Operation;
  finish(ok: boolean, detail: string): Promise<void>;
}

export class PlannedOperations implements Operations {
  readonly #parts: OperationParts;

  constructor(parts: OperationParts) {
    this.#parts = parts;
  }

  has(id: string): boolean {
    return this.#parts.step.operations.some((operation) => operation.id === id);
  }

  get runId(): string {
    return this.#parts.runId;
  }

  text(id: string, variables: Readonly<Record<string, string>> = {}): string {
    return this.#text(this.#find(id), { variables });
  }

  async run(id: string, options: OperationOptions = {}): Promise<OperationResult> {
    const begun = await this.#begin(id, options);
    return this.#finished(begun, this.#execute(begun.operation, options));
  }

  async runTogether(calls: readonly { readonly id: string; readonly options?: OperationOptions }[]): Promise<readonly OperationResult[]> {
    const { signal, sessions } = this.#parts;
    await using ready = new CleanupStack();
    const armed = await mapLimit(
      calls,
      armLimit,
      async ({
        id,
        options = {},
      }): Promise<{ readonly begun: Journalled; readonly options: OperationOptions; readonly command: ArmedCommand }> => {
        const begun = await this.#begin(id, options);
        const { operation } = begun;
        try {
          const host = await sessions.host(operation.target, signal);
          return { begun, options, command: ready.use(await host.arm(this.#request(operation, options), signal)) };
        } catch (error) {
          await begun.finish(false, tail(describeError(error)));
          throw error;
        }
      },
      signal,
    );
    signal.throwIfAborted();
    // Nothing between two of these may wait: they are the same moment.
    const running = armed.map(({ command }) => command.fire());
    const ended = await Promise.allSettled(
      armed.map(({ begun, options }, index) => this.#finished(begun, this.#result(begun.operation, options, running[index]))),
    );
    const failures = ended.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
    if (failures.length > 1) throw new AggregateError(failures, failures.map(describeError).join('; '));
    return ended.map((one) => {
      if (one.status === 'rejected') throw one.reason;
      return one.value;
    });
  }

  async hold(id: string): Promise<void> {
    const { sessions, leases, signal } = this.#parts;
    const begun = await this.#begin(id, {});
    const { operation } = begun;
    const holding = async (): Promise<OperationResult> => {
      const host = await sessions.host(operation.target, signal);
      const { stdin: _stdin, ...request } = this.#request(operation, {});
      // Its life is the run's, not that of what is done just now: stopping the run must not let go before the revert.
      await leases.hold({ target: operation.target, operation: id }, await host.start(request, leases.signal));
      return { exitCode: null, stdout: 'held', stderr: '', rows: [] };
    };
    await this.#finished(begun, holding());
  }

  release(id: string): void {
    this.#parts.leases.release({ target: this.#find(id).target, operation: id });
  }

  mayLeave(target: string): void {
    this.#parts.sessions.expectLoss(target);
  }

  returned(target: string): void {
    this.#parts.sessions.expectLoss(target, false);
  }

  #find(id: string): Operation {
    const { step } = this.#parts;
    const operation = step.operations.find((candidate) => candidate.id === id);
    if (operation === undefined) throw new ChaosError('CHAOS_PLAN_DRIFT', `operation ${id} is not in the plan of step ${step.id}`);
    return operation;
  }

  /** On disk before anything is sent. */
  async #begin(id: string, options: OperationOptions): Promise<Journalled> {
    const { step, record, clock, signal } = this.#parts;
    signal.throwIfAborted();
    const operation = this.#find(id);
    const shown = { step: step.id, operation: id };
    await record({
      type: 'operation.running',
      ...shown,
      target: operation.target,
      via: operation.via,
      text: this.#text(operation, options),
      changes: operation.changes,
    });
    const started = clock.monotonic();
    return {
      operation,
      finish: (ok, detail) => record({ type: 'operation.finished', ...shown, ok, ms: Math.round(clock.monotonic() - started), detail }),
    };
  }

  async #finished({ finish }: Journalled, work: Promise<OperationResult>): Promise<OperationResult> {
    let result: OperationResult;
    try {
      result = await work;
    } catch (error) {
      await finish(false, tail(describeError(error)));
      throw error;
    }
    await finish(true, summary(result));
    return result;
  }

  #variables(options: OperationOptions): Readonly<Record<string, string>> {
    return { run: this.#parts.runId, ...options.variables };
  }

  #text(operation: Operation, options: OperationOptions): string {
    const variables = this.#variables(options);
    return operation.via === 'sql' ? fillSql(operation.text, variables) : fillShell(operation.text, variables);
  }

  #execute(operation: Operation, options: OperationOptions): Promise<OperationResult> {
    switch (operation.via) {
      case 'shell':
        return this.#shell(operation, options);
      case 'sql':
        return this.#sql(operation, options);
      case 'copy':
        return this.#copy(operation, options);
      default:
        return assertNever(operation.via);
    }
  }

  async #shell(operation: Operation, options: OperationOptions): Promise<OperationResult> {
    const { sessions, signal } = this.#parts;
    const host = await sessions.host(operation.target, signal);
    return this.#result(operation, options, host.run(this.#request(operation, options), signal));
  }

  #request(operation: Operation, options: OperationOptions): CommandRequest {
    const stdin =
      options.stdin === undefined ? undefined : fillStdin(options.stdin, { ...this.#variables(options), ...this.#credentials(operation) });
    return {
      command: this.#text(operation, options),
      timeout: milliseconds(operation.timeoutMs),
      ...(operation.privileged === true ? { privileged: true } : {}),
      ...(stdin === undefined ? {} : { stdin }),
    };
  }

  async #result(operation: Operation, options: OperationOptions, running: Promise<CommandResult> | undefined): Promise<OperationResult> {
    if (running === undefined) throw new ChaosError('CHAOS_INTERNAL', `operation ${operation.id} was never begun`);
    return this.#accepted(operation, operation.target, await running, options);
  }

  async #sql(operation: Operation, options: OperationOptions): Promise<OperationResult> {
    const { sessions, signal } = this.#parts;
    const database = this.#database(operation);
    const limited = AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(operation.timeoutMs))]);
    try {
      const session = await sessions.sql(operation.target, database, limited);
      const rows = await session.query(this.#text(operation, options), [], limited);
      return { exitCode: null, stdout: '', stderr: '', rows };
    } catch (error) {
      if (!limited.aborted || signal.aborted) throw error;
      throw new ChaosError('CHAOS_SQL', `${operation.purpose}: no answer within ${operation.timeoutMs} ms`, {
        target: operation.target,
        cause: error,
      });
    }
  }

  async #copy(operation: Operation, options: OperationOptions): Promise<OperationResult> {
    const { sessions, signal } = this.#parts;
    const { sink } = operation;
    if (sink === undefined) throw new ChaosError('CHAOS_PLAN_DRIFT', `operation ${operation.id} has no sink`);
    const timeout = milliseconds(operation.timeoutMs);
    const commands = { read: this.#text(operation, options), write: fillShell(sink.text, this.#variables(options)) };
    const [from, to] = [await sessions.host(operation.target, signal), await sessions.host(sink.target, signal)];
    const giveUp = new AbortController();
    const either = AbortSignal.any([signal, giveUp.signal]);
    try {
      const source = await from.start({ command: commands.read, timeout }, either);
      const target = await to.start({ command: commands.write, timeout }, either);
      target.stdout.resume();
      source.stdin.end();
      const results = Promise.all([source.result, target.result]);
      try {
        await pipeline(source.stdout, target.stdin);
      } catch {
        // A broken pipe shows in the results below, which say more than the stream's error.
        await Promise.race([results, this.#parts.clock.sleep(lastWords, signal)]).catch(() => undefined);
        giveUp.abort();
      }
      const [read, written] = await results;
      return this.#copied(operation, options, { read, written, sink: sink.target });
    } finally {
      giveUp.abort();
    }
  }

  /** Of two ends the one that was not ended by us says what went wrong. */
  #copied(
    operation: Operation,
    options: OperationOptions,
    ends: { readonly read: CommandResult; readonly written: CommandResult; readonly sink: string },
  ): OperationResult {
    const { read, written, sink } = ends;
    if (written.ended !== 'aborted') this.#accepted(operation, sink, written, {});
    const result = this.#accepted(operation, operation.target, read, options);
    this.#accepted(operation, sink, written, {});
    return result;
  }

  #database(operation: Operation): string {
    if (operation.database === undefined) throw new ChaosError('CHAOS_PLAN_DRIFT', `operation ${operation.id} names no database`);
    return operation.database;
  }

  /** The replication role of the operation's cluster; it goes over standard input only and is never journalled. */
  #credentials(operation: Operation): Readonly<Record<string, string>> {
    if (operation.database === undefined) return {};
    const { replication } = this.#parts.sessions.cluster(operation.database);
    return {
      'replication-user': this.#parts.secret(replication.user),
      'replication-password': replication.password === undefined ? '' : this.#parts.secret(replication.password),
    };
  }

  #accepted(operation: Operation, target: string, result: CommandResult, { accept }: OperationOptions): OperationResult {
    return accepted({ operation, target, result, ...(accept === undefined ? {} : { accept }), signal: this.#parts.signal });
  }
}
