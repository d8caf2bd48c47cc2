/**
 * What a driver offers: narrow capabilities that faults ask for. A fault never learns which driver is behind them, so any fault
 * that needs a POSIX shell runs wherever there is one. Nothing here may know of faults, plans or the engine.
 */
import type { Duplex, Readable, Writable } from 'node:stream';
import type { TargetId } from '../core/ids.ts';
import type { Milliseconds } from '../core/units.ts';

export interface CommandRequest {
  /** A POSIX shell command line. It runs without a terminal, as leader of its own process group, and begins only when the runner knows how to end it. */
  readonly command: string;
  /** Fed to standard input, which is then closed. Default: empty. */
  readonly stdin?: string | Uint8Array;
  /** From the request to the exit; afterwards the remote process group is ended (TERM, then KILL after 2 s). */
  readonly timeout: Milliseconds;
  /** Of stdout and stderr each; what is over is dropped and `truncated` says so: the end of stdout, the beginning of stderr. Default 1 MiB. */
  readonly maxBytes?: number;
  /**
   * As root: through `sudo -n` where the host's `become` is `sudo` and the login is not root; with `become: none` as the login.
   * A refusal of sudo is a result of exit code 1 whose stderr says what is missing. Default false.
   */
  readonly privileged?: boolean;
}

/**
 * How a command ended. A lost connection is never a success: only `exited` carries a result of the command itself.
 * `signal` is set instead of `exitCode` when the command's shell was killed.
 */
export interface CommandResult {
  readonly ended: 'exited' | 'lost' | 'timed-out' | 'aborted';
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Either stream was longer than `maxBytes`, or a child of the command kept it open. */
  readonly truncated: boolean;
  readonly durationMs: number;
  /** Why, where `ended` is `lost`. */
  readonly lostBecause?: string;
}

/** A command that is running, with its streams; `stdout` must be consumed, `stdin` ended. */
export interface RunningCommand {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Never rejects. `stdout` in the result is empty: it went to the stream. `stderr` is collected. */
  readonly result: Promise<CommandResult>;
}

/** A command that is ready on its target and waits for one byte. Disposing one that was never fired ends it without its having begun. */
export interface ArmedCommand extends AsyncDisposable {
  /** Sends that byte before it returns; resolves as {@link CommandRunner.run} does. Once only. */
  fire(): Promise<CommandResult>;
}

export interface CommandRunner {
  /** Runs to the end. Never rejects for what the remote side does; aborting `signal` ends the remote process group. */
  run(request: CommandRequest, signal: AbortSignal): Promise<CommandResult>;
  /**
   * Starts with open streams, for data too large to hold. Rejects, the command never having begun, with `CHAOS_TARGET_LOST`,
   * `CHAOS_COMMAND` or the signal's reason. When the command is cut short `stdout` ends with an error: a cut never looks like the end.
   */
  start(request: Omit<CommandRequest, 'stdin' | 'maxBytes'>, signal: AbortSignal): Promise<RunningCommand>;
  /** Opens the channel and starts the waiting shell, so that commands on many targets can begin in one moment. Rejects as {@link start} does. */
  arm(request: CommandRequest, signal: AbortSignal): Promise<ArmedCommand>;
}

export interface TcpDialer {
  /** A TCP connection made *from the target* to `address:port`. Rejects with `CHAOS_TARGET_LOST` or `CHAOS_COMMAND`. */
  dial(address: string, port: number, signal: AbortSignal): Promise<Duplex>;
}

/** One open connection to one host; disposing it closes it and leaves no remote command of ours running. */
export interface HostSession extends CommandRunner, TcpDialer, AsyncDisposable {
  readonly target: TargetId;
  /** Resolves, never rejects, when the connection is gone, whoever ended it. */
  readonly lost: Promise<Error>;
}

/** Everything a driver needs to reach one host: plain data, no secrets, fit for the plan and the journal. */
export interface HostAddress {
  readonly id: TargetId;
  readonly driver: 'ssh';
  readonly address: string;
  /** 1–65535. */
  readonly port: number;
  readonly user: string;
  /** Private key files tried in order; empty: the agent only. */
  readonly identityFiles: readonly string[];
  /** User certificates; absent or empty: `-cert.pub` beside each identity file, where there is one. Those of the agent are offered as well. */
  readonly certificateFiles?: readonly string[] | undefined;
  /** Of encrypted key files. Never in a plan: there it stands as a reference. */
  readonly passphrase?: string | undefined;
  /** Use the agent at `SSH_AUTH_SOCK` as well. */
  readonly agent: boolean;
  readonly knownHostsFiles: readonly string[];
  /** Of the agent's keys only those that `identityFiles` name, as with IdentitiesOnly: servers hang up after a few wrong ones. */
  readonly identitiesOnly?: boolean | undefined;
  /** Socket of the agent, where it is not that of `SSH_AUTH_SOCK`. */
  readonly agentSocket?: string | undefined;
  /** The name that the host's key is known by, instead of its address. */
  readonly hostKeyAlias?: string | undefined;
  /** A command line for the runner's shell, whose stdin and stdout are the connection to the host; it is ended with the connection. */
  readonly proxyCommand?: string | undefined;
  /** How privileged commands become root when the login is not. */
  readonly become: 'none' | 'sudo';
  /** Hosts that the connection goes through, the one nearest to the runner first. */
  readonly jumps: readonly JumpAddress[];
}

/** What logging in to any host takes, a target or one on the way to it. */
export type JumpAddress = Omit<HostAddress, 'id' | 'become' | 'jumps'> & { readonly id: string };

/** Opens sessions to hosts. */
export interface HostDriver {
  readonly kind: 'ssh';
  /**
   * Connects and authenticates; host keys are checked strictly, nothing is ever asked at a prompt.
   * Rejects with `CHAOS_SSH_CONNECT`, `CHAOS_SSH_HOST_KEY` or `CHAOS_SSH_AUTH`, each with a hint that mends it.
   */
  connect(host: HostAddress, signal: AbortSignal): Promise<HostSession>;
}

/** One database server, as the runner or a target sees it. */
export interface SqlEndpoint {
  readonly engine: 'postgresql';
  readonly address: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password?: string;
  /** Shown in the server's session list. */
  readonly applicationName: string;
}

export type SqlRow = Readonly<Record<string, unknown>>;

export interface SqlSession extends AsyncDisposable {
  /** Rows as objects. Rejects with `CHAOS_SQL` (the server's text and code in it) or when `signal` aborts; an aborted session is closed. */
  query(statement: string, parameters: readonly unknown[], signal: AbortSignal): Promise<readonly SqlRow[]>;
  /** Resolves when the connection is gone. */
  readonly lost: Promise<Error>;
}

export interface SqlConnector {
  /** Connects directly, or through `via` (from the target's own network). Rejects with `CHAOS_SQL`. `timeout` bounds connecting. */
  connect(
    endpoint: SqlEndpoint,
    options: { readonly timeout: Milliseconds; readonly via?: TcpDialer },
    signal: AbortSignal,
  ): Promise<SqlSession>;
}
