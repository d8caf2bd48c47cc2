/** This machine as a host: a `HostSession` that runs commands with sh, in a home and with an environment of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import { targetId } from '../../src/core/ids.ts';
import type { CommandRequest, CommandResult, HostSession, RunningCommand } from '../../src/drivers/contract.ts';

export interface LocalHost {
  readonly id: string;
  readonly home: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
}

export function localSession(host: LocalHost): HostSession {
  const running = new Set<ChildProcess>();
  const start = (request: Omit<CommandRequest, 'stdin' | 'maxBytes'>, signal: AbortSignal): RunningCommand => {
    const child = spawn('/bin/sh', ['-c', request.command], {
      cwd: host.home,
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: host.home, LC_ALL: 'C', ...host.env },
      detached: true,
      stdio: 'pipe',
      ...(host.uid === undefined ? {} : { uid: host.uid, gid: host.gid ?? host.uid }),
    });
    running.add(child);
    child.stdin.on('error', () => undefined);
    return {
      stdin: child.stdin as Writable,
      stdout: child.stdout as Readable,
      result: ended(child, request.timeout, signal, () => running.delete(child)),
    };
  };
  return {
    target: targetId(host.id),
    lost: new Promise(() => undefined),
    run: async (request, signal) => {
      const command = start(request, signal);
      const chunks: Buffer[] = [];
      command.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      command.stdin.end(request.stdin ?? '');
      const result = await command.result;
      return { ...result, stdout: Buffer.concat(chunks).toString() };
    },
    start: async (request, signal) => start(request, signal),
    arm: async (request, signal) => {
      const waiting = start({ ...request, command: `read -r _ || exit 125\n${request.command}` }, signal);
      let fired = false;
      const chunks: Buffer[] = [];
      waiting.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      return {
        fire: async () => {
          fired = true;
          waiting.stdin.write('\n');
          waiting.stdin.end(request.stdin ?? '');
          return { ...(await waiting.result), stdout: Buffer.concat(chunks).toString() };
        },
        [Symbol.asyncDispose]: async () => {
          if (!fired) waiting.stdin.end();
          await waiting.result;
        },
      };
    },
    dial: (address, port, signal) => dial(address, port, signal),
    [Symbol.asyncDispose]: async () => {
      for (const child of running) killGroup(child);
    },
  };
}

function ended(child: ChildProcess, timeout: number, signal: AbortSignal, done: () => void): Promise<CommandResult> {
  return new Promise((resolve) => {
    const started = performance.now();
    const stderr: Buffer[] = [];
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    let how: CommandResult['ended'] = 'exited';
    const stop = (why: CommandResult['ended']) => (): void => {
      how = why;
      killGroup(child);
    };
    const abort = stop('aborted');
    const timer = setTimeout(stop('timed-out'), timeout);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    child.once('close', (exitCode, killedBy) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      done();
      const durationMs = performance.now() - started;
      resolve({
        ended: how,
        exitCode,
        signal: killedBy,
        stdout: '',
        stderr: Buffer.concat(stderr).toString(),
        truncated: false,
        durationMs,
      });
    });
  });
}

function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Ended in the meantime.
  }
}

function dial(address: string, port: number, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, signal });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}
