/**
 * A connection over the stdin and stdout of a local command (ProxyCommand of ssh). The command is a process group of its own: it is ended with the
 * connection, whoever ends that, and Ctrl-C on the terminal does not reach it, since rolling back needs the connection.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { tail } from '../../core/text.ts';

/** Of its stderr, and of what it prints instead of SSH. */
const mostSaid = 4_096;
/** From TERM to KILL, ms. */
const grace = 1_000;
const pollEvery = 25;
/** Between the end of its output and its exit, ms: its exit code says more. */
const exitWithin = 200;

export class ProxyCommand extends Duplex {
  readonly command: string;
  readonly #child: ChildProcessWithoutNullStreams;
  #stderr = '';
  #head = '';

  /** `command`: a shell command line, tokens expanded. */
  constructor(command: string) {
    super();
    this.command = command;
    // The shell that ssh takes; exec, so that it does not stay in between.
    this.#child = spawn(process.env.SHELL || '/bin/sh', ['-c', `exec ${command}`], { detached: true, stdio: 'pipe' });
    const { stdin, stdout, stderr } = this.#child;
    // A command that has gone says why with its exit.
    stdin.on('error', () => undefined);
    stdout.on('error', (error) => this.destroy(error));
    stderr.on('error', () => undefined);
    stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-mostSaid);
    });
    stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
    stdout.on('end', () => setTimeout(() => this.#ended(), exitWithin));
    this.#child.on('error', (error) => this.destroy(error));
    this.#child.on('close', () => this.#ended());
  }

  /** What it said to people, for an error: one line, empty where it said nothing. */
  said(): string {
    const isSsh = this.#head === '' || /^SSH-/m.test(this.#head);
    const printed = isSsh ? '' : `printed ${JSON.stringify(tail(this.#head, 200))} where SSH was expected`;
    const complained = this.#stderr.trim() === '' ? '' : `said ${JSON.stringify(tail(this.#stderr))}`;
    return [complained, printed].filter((part) => part !== '').join(' and ');
  }

  override _read(): void {
    this.#child.stdout.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#child.stdin.write(chunk, () => done());
  }

  override _final(done: () => void): void {
    this.#child.stdin.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) stream.destroy();
    if (this.#child.pid !== undefined) endGroup(this.#child.pid);
    done(error);
  }

  #receive(chunk: Buffer): void {
    if (this.#head.length < mostSaid && !/^SSH-/m.test(this.#head)) this.#head += chunk.toString('latin1').slice(0, mostSaid);
    if (!this.push(chunk)) this.#child.stdout.pause();
  }

  #ended(): void {
    if (this.destroyed) return;
    const { exitCode, signalCode } = this.#child;
    const how =
      signalCode !== null ? `was ended by ${signalCode}` : exitCode === null ? 'closed its output' : `ended with exit code ${exitCode}`;
    // A relay ends in order when the server hangs up, as a busy one does: worth another attempt.
    this.destroy(Object.assign(new Error(`its ProxyCommand ${how}`), exitCode === 0 ? { code: 'ECONNRESET' } : {}));
  }
}

/** TERM, then KILL for what is still there: a group outlives its leader. */
function endGroup(pid: number): void {
  const signal = (name: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(-pid, name);
    } catch {
      return false; // nobody is left
    }
  };
  if (!signal('SIGTERM')) return;
  const started = performance.now();
  const timer = setInterval(() => {
    const over = performance.now() - started > grace;
    if (over) signal('SIGKILL');
    if (over || !signal(0)) clearInterval(timer);
  }, pollEvery);
}
