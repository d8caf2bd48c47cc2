/**
 * A folder of its own for one test file: a project, a reports folder and a TMPDIR, so that labs of other tests are neither seen nor
 * disturbed. Goes with everything in it, labs included.
 */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JournalEvent } from '../../src/journal/events.ts';
import type { LabInfo } from '../../src/lab/lab.ts';
import type { LabStatus } from '../../src/lab/status.ts';
import { type ChaosOptions, type Finished, type RunningChaos, runChaos, startChaos } from './cli.ts';

export class TempProject implements AsyncDisposable {
  readonly dir: string;
  readonly project: string;
  readonly reports: string;
  /** Where labs live. */
  readonly tmp: string;

  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'ce-'));
    // The lab's unprivileged account has to pass through.
    chmodSync(this.dir, 0o755);
    this.project = join(this.dir, 'project');
    this.reports = join(this.project, 'reports');
    this.tmp = join(this.dir, 't');
    mkdirSync(join(this.project, 'experiments', 'environments'), { recursive: true });
    mkdirSync(this.tmp);
  }

  /** Writes `experiments/NAME.yaml` (or any other file of the project) and gives its path. */
  write(path: string, text: string): string {
    const file = join(this.project, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  #options(options: ChaosOptions): ChaosOptions {
    return { cwd: this.project, ...options, env: { TMPDIR: this.tmp, ...options.env } };
  }

  chaos(args: readonly string[], options: ChaosOptions = {}): Promise<Finished> {
    return runChaos(args, this.#options(options));
  }

  start(args: readonly string[], options: ChaosOptions = {}): RunningChaos {
    return startChaos(args, this.#options(options));
  }

  labFolders(): string[] {
    return readdirSync(this.tmp).filter((name) => name.startsWith('chaos-lab-'));
  }

  /** Starts a lab and leaves it up. */
  async labUp(...args: string[]): Promise<LabInfo> {
    const up = await this.chaos(['lab', 'up', ...args, '--json']);
    if (up.exitCode !== 0) throw new Error(`no lab: ${up.stderr}`);
    return (JSON.parse(up.stdout) as { lab: LabInfo }).lab;
  }

  async labDown(): Promise<void> {
    const down = await this.chaos(['lab', 'down', '--all']);
    if (down.exitCode !== 0) throw new Error(`lab not down: ${down.stderr}`);
  }

  async labStatus(): Promise<LabStatus> {
    const { stdout, stderr } = await this.chaos(['lab', 'status', '--json']);
    const [status] = (JSON.parse(stdout) as { labs: LabStatus[] }).labs;
    if (status === undefined) throw new Error(`no lab: ${stderr}`);
    return status;
  }

  /** Runs a command on a host of the lab. */
  ssh(host: string, command: string): Promise<Finished> {
    return this.chaos(['lab', 'ssh', host, '--', command]);
  }

  runFolders(reports = this.reports): string[] {
    try {
      return readdirSync(reports)
        .filter((name) => /^\d{4}-\d{2}-\d{2}-/.test(name))
        .sort();
    } catch {
      return [];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.labFolders().length > 0) await this.labDown();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** What the journal in a run's folder holds. */
export function journalOf(folder: string): JournalEvent[] {
  return readFileSync(join(folder, 'journal.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalEvent);
}

/** The names of the marks, in order. */
export function marksOf(events: readonly JournalEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'fault.marked' ? [event.mark] : []));
}

/** `primary` and `standby` by host, as the lab's status says. */
export function rolesOf(status: LabStatus): Record<string, string> {
  return Object.fromEntries(status.databases.map(({ host, role }) => [host, role]));
}
