/** A home on this machine with a shell of the test's choice as its `sh`, in which fuses are armed and watched from outside. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FuseTexts, fuseInput } from '../../src/faults/fuse/answers.ts';
import { armText, type FuseLimits, forgetText, fuseId, holdText, injectText, listText, pullText } from '../../src/faults/fuse/script.ts';

export const shells = ['dash', 'busybox', 'bash', 'mksh'].map((name) => {
  const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
  return { name, path: found === '' ? undefined : found };
});

export interface Answer {
  readonly code: number | null;
  readonly out: string;
}

/** The fault of these tests: a file `broken` in the home, and a process that goes on for ever. */
const texts: FuseTexts = {
  about: { fault: 'test' },
  undo: 'rm -f "$HOME/broken"; echo undone >>"$HOME/undone"',
  check: '[ ! -e "$HOME/broken" ] || exit 3',
};
export const breaking = 'touch "$HOME/broken"; sleep 1000 & echo $! >"$HOME/left"';

export class FuseHost implements Disposable {
  readonly home = mkdtempSync(join(tmpdir(), "chaos fuse's "));
  readonly #armed = new Set<string>();
  readonly #env: NodeJS.ProcessEnv;
  readonly #memory = `/dev/shm/chaos-${process.getuid?.() ?? 0}`;

  constructor(shell = '/bin/sh') {
    const bin = join(this.home, 'bin');
    mkdirSync(bin);
    symlinkSync(shell, join(bin, 'sh'));
    this.#env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`, HOME: this.home, CHAOS_LAB_HOST: 'test' };
  }

  /** Each test's run has an id of its own: fuses of other tests are in the same folders. */
  static id(run: string, nth = 1): string {
    return fuseId('s1', nth).replace('@run@', run);
  }

  sh(text: string, input = ''): Answer {
    const { status, stdout } = spawnSync('sh', ['-c', text], { input, env: this.#env, cwd: this.home, encoding: 'utf8', timeout: 60_000 });
    return { code: status, out: stdout.trim() };
  }

  start(text: string): ChildProcessWithoutNullStreams {
    return spawn('sh', ['-c', text], { env: this.#env, cwd: this.home, detached: true });
  }

  arm(id: string, limits: Partial<FuseLimits> = {}, changed: Partial<FuseTexts> = {}): Answer {
    this.#armed.add(id);
    return this.sh(armText(id, { leaseS: 60, deadlineS: 300, boot: false, ...limits }), fuseInput({ ...texts, ...changed }));
  }

  inject(id: string, script = breaking): Answer {
    return this.sh(injectText(id, script));
  }

  pull(id: string): Answer {
    return this.sh(pullText(id));
  }

  forget(id: string): Answer {
    return this.sh(forgetText(id));
  }

  list(): Answer {
    return this.sh(listText(), fuseInput());
  }

  hold(id: string): ChildProcessWithoutNullStreams {
    return this.start(holdText(id));
  }

  get broken(): boolean {
    return existsSync(join(this.home, 'broken'));
  }

  /** How often the undo ran. */
  get undone(): number {
    return existsSync(join(this.home, 'undone')) ? readFileSync(join(this.home, 'undone'), 'utf8').split('\n').length - 1 : 0;
  }

  /** Is the process that the injection left still there? */
  get running(): boolean {
    const pid = readFileSync(join(this.home, 'left'), 'utf8').trim();
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : ') Z';
    return !/\) [ZX]/.test(stat);
  }

  /** What of `id` is left on the machine: folders and processes. */
  residue(id: string): string[] {
    const folders = [join(this.home, '.chaos'), this.#memory].flatMap((at) =>
      existsSync(at) ? readdirSync(at).map((name) => join(at, name)) : [],
    );
    const processes = spawnSync('pgrep', ['-af', id], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);
    return [...folders.filter((name) => name.includes(id)), ...processes];
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.home, name), text);
  }

  /** The process id that the fuse wrote down for its `watcher` or `holder`. */
  pidOf(id: string, who: 'watcher' | 'holder'): number {
    return Number(readFileSync(join(this.#memory, id, who), 'utf8').split(' ')[0]);
  }

  [Symbol.dispose](): void {
    // A test that failed half-way must not leave a watcher behind: without its folder it ends.
    rmSync(this.home, { recursive: true, force: true });
    for (const id of this.#armed) rmSync(join(this.#memory, id), { recursive: true, force: true });
    if (existsSync(this.#memory) && readdirSync(this.#memory).length === 0) rmSync(this.#memory, { recursive: true });
  }
}
