/**
 * This machine as a host whose mounts, network and processes are its own: a fault may rewrite /etc/hosts or the firewall there, and nothing
 * of the machine is touched, nor a fault of the same id in another test. Needs root or user namespaces; `unconfined` says why it cannot be had.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shellQuote } from '../../src/core/text.ts';
import type { FaultDefinition } from '../../src/faults/contract.ts';
import type { Operation } from '../../src/plan/plan.ts';
import type { LocalHost } from './local-session.ts';

const root = process.getuid?.() === 0;
const user = root ? [] : ['--map-root-user'];
const namespaces = [...user, '--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Who enters a mount namespace is at its root. */
const atHome = 'cd "$HOME" || exit 1\n';

/** Why there are no such hosts here; `undefined` when there are. */
export const unconfined: string | undefined = (() => {
  if (process.platform !== 'linux') return 'namespaces are of Linux';
  const { status, stderr } = spawnSync('unshare', [...namespaces, 'mount', '-t', 'tmpfs', 'tmpfs', '/dev/shm'], { encoding: 'utf8' });
  return status === 0 ? undefined : `no namespaces without root here (${(stderr ?? 'no unshare').trim()})`;
})();

export function missingTools(...tools: string[]): string | undefined {
  const path = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;
  const missing = tools.filter((tool) => spawnSync('sh', ['-c', `command -v ${tool}`], { env: { PATH: path } }).status !== 0);
  return missing.length === 0 ? undefined : `${missing.join(', ')} not installed`;
}

export interface Confinement {
  /** Files of the machine that are others in there, by path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Commands of the test's own, first in the PATH; with a path, in the place of that file: the real one cannot be reached. */
  readonly stubs?: Readonly<Record<string, string>>;
  /** Shell text that runs in there as root, before anything else. */
  readonly setUp?: string;
}

export class ConfinedHost implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), 'chaos-confined-'));
  readonly #holder: ChildProcess;
  #enter: readonly string[] = [];

  private constructor(place: Confinement) {
    const bin = join(this.home, 'bin');
    mkdirSync(bin);
    const binds = Object.entries(place.files ?? {}).map(([path, text]) => this.#bind(path, text, 0o644));
    for (const [name, text] of Object.entries(place.stubs ?? {})) {
      if (name.startsWith('/')) binds.push(this.#bind(name, text, 0o755));
      else writeFileSync(join(bin, name), text, { mode: 0o755 });
    }
    // Without the sockets of the machine's own services: its systemd, its cache of names.
    const hide = ['/dev/shm', '/run'].map((path) => `mount -t tmpfs tmpfs ${path}`);
    const setUp = ['set -e', ...hide, ...binds, place.setUp ?? ':', 'echo ready', 'cat', ':'].join('\n');
    // A shell, which reaps the orphans; it ends with its input, also when the test is killed, and everything in there with it.
    this.#holder = spawn('unshare', [...namespaces, 'sh', '-c', setUp], { stdio: ['pipe', 'pipe', 'inherit'], env: this.#env() });
  }

  static async start(place: Confinement = {}): Promise<ConfinedHost> {
    const host = new ConfinedHost(place);
    await new Promise<void>((resolve, reject) => {
      host.#holder.stdout?.once('data', () => resolve());
      host.#holder.once('error', reject);
      host.#holder.once('exit', (code) => reject(new Error(`the namespaces cannot be set up (exit ${code})`)));
    });
    const pid = host.#holder.pid;
    const first = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    host.#enter = ['nsenter', ...(root ? [] : ['--user', '--preserve-credentials']), '--mount', '--net', '--pid', '--target', first];
    return host;
  }

  /** What a `FaultRun` is given. The variable keeps the fuse in the home, as on a practice host. */
  get host(): LocalHost {
    return { id: 'web-1', home: this.home, env: this.#env() };
  }

  /** The fault with every text sent into the namespaces, to `shell`. What the fuse runs is in there already. */
  confine<Parameters>(fault: FaultDefinition<Parameters>, shell: readonly string[] = ['sh']): FaultDefinition<Parameters> {
    const enter = (operation: Operation): Operation =>
      operation.via === 'shell'
        ? {
            ...operation,
            text: `text=${shellQuote(atHome + operation.text)}
[ -z "\${CONFINED:-}" ] || exec ${words(shell)} -c "$text"
exec ${words([...this.#enter, 'env', 'CONFINED=yes', ...shell])} -c "$text"`,
          }
        : operation;
    return {
      ...fault,
      parameters: fault.parameters,
      plan: async (request) => {
        const planned = await fault.plan(request);
        return 'mistakes' in planned ? planned : { ...planned, operations: planned.operations.map(enter) };
      },
    };
  }

  sh(text: string): { readonly code: number | null; readonly out: string } {
    const [command = '', ...rest] = this.#enter;
    const { status, stdout, stderr } = spawnSync(command, [...rest, 'sh', '-c', atHome + text], {
      env: this.#env(),
      cwd: this.home,
      encoding: 'utf8',
      timeout: 30_000,
    });
    return { code: status, out: stdout + stderr };
  }

  /** Runs a program in there until the host is disposed; resolves with its first line. */
  async serve(command: string, ...args: string[]): Promise<string> {
    const [enter = '', ...rest] = this.#enter;
    const child = spawn(enter, [...rest, command, ...args], { stdio: ['pipe', 'pipe', 'inherit'], env: this.#env() });
    this.#holder.once('exit', () => child.kill('SIGKILL'));
    return new Promise((resolve, reject) => {
      child.stdout.once('data', (data: Buffer) => resolve(data.toString()));
      child.once('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
    });
  }

  #bind(path: string, text: string, mode: number): string {
    const source = join(this.home, path.replaceAll('/', '+'));
    writeFileSync(source, text, { mode });
    return `real=$(readlink -m ${shellQuote(path)})
[ -e "$real" ] || { mkdir -p "\${real%/*}"; : >"$real"; }
mount --bind ${shellQuote(source)} "$real"`;
  }

  #env(): Record<string, string> {
    return {
      PATH: `${join(this.home, 'bin')}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
      HOME: this.home,
      CHAOS_LAB_HOST: 'test',
      LC_ALL: 'C',
    };
  }

  [Symbol.dispose](): void {
    this.#holder.kill('SIGKILL');
    rmSync(this.home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

function words(list: readonly string[]): string {
  return list.map(shellQuote).join(' ');
}
