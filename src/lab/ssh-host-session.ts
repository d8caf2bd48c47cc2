/** Sessions of a lab host: `exec`, `shell` and `signal`, with the behaviour of sshd that the SSH driver relies on. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import type ssh2 from 'ssh2';
import type { SshHostOptions } from './ssh-host.ts';
import { type ProcessGroups, signalGroup } from './ssh-host-processes.ts';
import { forTerminal, LineTerminal } from './ssh-host-terminal.ts';

type Command = ChildProcessWithoutNullStreams;
type Send = (stream: Writable, chunk: Uint8Array | string) => Promise<void>;

export function serveSession(session: ssh2.Session, connection: ssh2.Connection, host: SshHostOptions, groups: ProcessGroups): void {
  let command: Command | undefined;
  let terminal = false;
  session.on('pty', (accept) => {
    terminal = true;
    accept?.();
  });
  session.on('exec', (accept, _reject, request) => {
    command = spawnCommand(['-c', request.command], host, groups);
    wire(command, accept(), connection, terminal);
  });
  session.on('shell', (accept) => {
    // Job control needs a real terminal; without +m the shell complains about it first thing.
    command = spawnCommand(terminal ? ['+m', '-i'] : [], host, groups, terminal ? { PS1: `${host.name}$ ` } : {});
    wire(command, accept(), connection, terminal);
  });
  session.on('signal', (accept, reject, request) => {
    const name = `SIG${request.name}`;
    const sent = command?.pid !== undefined && isSignal(name) && signalGroup(command.pid, name);
    if (sent) accept?.();
    else reject?.();
  });
}

function spawnCommand(
  words: readonly string[],
  host: SshHostOptions,
  groups: ProcessGroups,
  extraEnv: Record<string, string> = {},
): Command {
  const command = spawn('/bin/sh', words, {
    cwd: host.home,
    env: { ...host.env, ...extraEnv },
    // Own session and process group, as sshd does it: `kill -TERM -$$` ends the whole command.
    detached: true,
    stdio: 'pipe',
    ...(host.uid === undefined ? {} : { uid: host.uid }),
    ...(host.gid === undefined ? {} : { gid: host.gid }),
  });
  const { pid } = command;
  if (pid !== undefined) {
    groups.started(pid);
    command.once('exit', () => groups.leaderExited(pid));
  }
  return command;
}

/** Connects a command to its channel. When the channel goes, the command keeps running, with its pipes closed. */
function wire(command: Command, channel: ssh2.ServerChannel, connection: ssh2.Connection, terminal: boolean): void {
  if (command.pid === undefined) {
    reportFailure(command, channel);
    return;
  }
  const release = (): void => {
    command.stdin.end();
    command.stdout.destroy();
    command.stderr.destroy();
  };
  connection.once('close', release);
  channel.once('close', release);
  channel.on('error', release);

  const send = createSender(channel);
  if (terminal) feedLines(command, channel, send);
  else feed(command, channel);
  const drained = Promise.allSettled([
    pump(command.stdout, (chunk) => send(channel, terminal ? forTerminal(chunk) : chunk)),
    // A terminal has one screen; without one the streams stay apart.
    pump(command.stderr, (chunk) => (terminal ? send(channel, forTerminal(chunk)) : send(channel.stderr as Writable, chunk))),
  ]);
  command.once('exit', (code, signal) => {
    if (signal === null) channel.exit(code ?? 255);
    else channel.exit(signal.replace(/^SIG/, ''));
  });
  // Never rejects. As under sshd the channel closes when the command has ended and nobody holds its pipes any more.
  void Promise.all([drained, new Promise((resolve) => command.once('close', resolve))]).then(() => {
    connection.off('close', release);
    channel.end();
  });
}

/** The shell could not be started: no home folder, no processes left. */
function reportFailure(command: Command, channel: ssh2.ServerChannel): void {
  command.once('error', (error) => {
    channel.stderr.write(`cannot start a command: ${error.message}\n`);
    channel.exit(255);
    channel.end();
  });
}

function feed(command: Command, channel: ssh2.ServerChannel): void {
  // EPIPE: the command does not read its input. What still comes is thrown away, or the client would wait for window for ever.
  command.stdin.on('error', () => channel.resume());
  channel.pipe(command.stdin);
}

function feedLines(command: Command, channel: ssh2.ServerChannel, send: Send): void {
  const { pid, stdin } = command;
  const terminal = new LineTerminal({
    line: (text) => stdin.write(text),
    end: () => stdin.end(),
    interrupt: () => pid !== undefined && signalGroup(pid, 'SIGINT'),
    echo: (text) => void send(channel, text), // never rejects
  });
  stdin.on('error', () => undefined);
  channel.on('data', (chunk: Buffer) => terminal.input(chunk));
  channel.once('end', () => stdin.end());
}

async function pump(source: Readable, write: (chunk: Buffer) => Promise<void>): Promise<void> {
  for await (const chunk of source) await write(chunk as Buffer);
}

/**
 * Writes to stdout and stderr of one channel, one chunk at a time, each with back-pressure; never rejects. ssh2 1.17 remembers a chunk
 * that had to wait for window and sends it again when the other stream has to wait next: hence one at a time and a clean slate after each.
 */
function createSender(channel: ssh2.ServerChannel): Send {
  let last = Promise.resolve();
  const forget = { _chunk: undefined, _chunkcb: undefined, _chunkErr: undefined, _chunkcbErr: undefined };
  const write: Send = (stream, chunk) =>
    new Promise((resolve) => {
      if (!stream.writable) {
        resolve();
        return;
      }
      stream.write(chunk, () => {
        Object.assign(channel, forget);
        resolve();
      });
    });
  return (stream, chunk) => {
    last = last.then(() => write(stream, chunk));
    return last;
  };
}

function isSignal(name: string): name is NodeJS.Signals {
  return Object.hasOwn(constants.signals, name);
}
