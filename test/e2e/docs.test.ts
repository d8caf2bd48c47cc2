import { execFile } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chaosBin, type Finished, repository, runChaos } from '../support/cli.ts';
import { allHelp, documentedLines, exampleLines, type HelpText } from '../support/e2e-docs.ts';
import { TempProject } from '../support/e2e-project.ts';

let place: TempProject;
let helps: readonly HelpText[];
beforeAll(async () => {
  place = new TempProject();
  helps = await allHelp();
  projectLikeOurs();
});
afterAll(async () => {
  await place[Symbol.asyncDispose]();
});

/** The shipped experiments, only waiting less: their own times are what shipped.test.ts is about. */
function projectLikeOurs(): void {
  cpSync(join(repository, 'experiments'), join(place.project, 'experiments'), { recursive: true });
  cpSync(join(repository, 'runbooks'), join(place.project, 'runbooks'), { recursive: true });
  const folder = join(place.project, 'experiments');
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.yaml'))) {
    const text = readFileSync(join(folder, name), 'utf8');
    const quick = text
      // The few orders that a hang costs are judged over a full window of ten seconds.
      .replace(/baseline: \d+s/, name === 'service-down.yaml' ? 'baseline: 10s' : 'baseline: 3s')
      .replace(/hold: \d+s/, 'hold: 2s')
      .replace(/- wait: \d+s/, '- wait: 2s');
    if (quick === text) throw new Error(`${name} has other times now`);
    writeFileSync(join(folder, name), quick);
  }
}

interface Rule {
  readonly line: RegExp;
  readonly lab: 'up' | 'none' | 'any';
  /** What is put in for placeholders such as the id of a run. */
  readonly with?: (words: readonly string[]) => Promise<readonly string[]>;
  readonly input?: string;
  readonly cwd?: string;
  /** The exit codes that the documents allow for it; default 0. */
  readonly exit?: number;
  readonly check?: (run: Finished) => void | Promise<void>;
}

/** One for each documented line; who documents a new kind of line writes the rule that runs it. */
const rules: readonly Rule[] = [
  {
    line: /^chaos init( \.\.\/our-game-days)?$/,
    lab: 'any',
    cwd: 'new',
    check: () => expect(existsSync(join(place.dir, 'new', 'experiments'))).toBe(true),
  },
  { line: /^chaos validate$/, lab: 'any', cwd: 'new' },
  { line: /^chaos plan web-restart --env staging$/, lab: 'any', cwd: 'new', check: (run) => expect(run.stdout).toContain('web-1') },
  { line: /^chaos validate db-failover$/, lab: 'any' },
  {
    line: /^chaos validate experiments\/environments\/staging\.yaml --json$/,
    lab: 'up',
    check: (run) => expect(JSON.parse(run.stdout)).toMatchObject({ valid: true }),
  },
  { line: /^chaos plan [a-z-]+( --env staging)?$/, lab: 'up', check: (run) => expect(run.stdout).toContain('Guards') },
  { line: /^chaos plan [a-z-]+ --json$/, lab: 'up', check: (run) => expect(JSON.parse(run.stdout)).toMatchObject({ version: 1 }) },
  { line: /^chaos run [a-z-]+$/, lab: 'up', check: (run) => expect(run.stderr).toContain('HELD') },
  { line: /^chaos run [a-z-]+ --keep-lab$/, lab: 'none', check: () => expect(place.labFolders()).toHaveLength(1) },
  { line: /^chaos run experiments\/[a-z-]+\.yaml --json$/, lab: 'up', check: expectOnlyEvents },
  // Nobody is there to be asked, and the line does not say --yes: outside the lab that is a refusal.
  {
    line: /^chaos run [a-z-]+ --env staging --plan-hash 3f9a12cd$/,
    lab: 'up',
    with: withPlanHash,
    exit: 3,
    check: (run) => expect(run.stderr).toContain('nobody can be asked here for consent'),
  },
  { line: /^chaos status( --json)?$/, lab: 'any' },
  { line: /^chaos report (k3f9qz|reports\/\S+)$/, lab: 'any', with: withLastRun },
  { line: /^chaos recover( k3f9qz)?$/, lab: 'any', with: withLastRun },
  { line: /^chaos doctor --env staging$/, lab: 'up', check: (run) => expect(run.stdout).toContain('5 of 5 hosts are ready') },
  {
    line: /^chaos doctor --env staging --json$/,
    lab: 'up',
    check: (run) => expect((JSON.parse(run.stdout) as { hosts: unknown[] }).hosts).toHaveLength(5),
  },
  { line: /^chaos recover --sweep --env staging$/, lab: 'up', check: (run) => expect(run.stdout).toContain('hosts asked') },
  { line: /^chaos lab up$/, lab: 'none' },
  { line: /^chaos lab up --replication async --postgres system$/, lab: 'none' },
  { line: /^chaos lab status( --json)?$/, lab: 'up', check: (run) => expect(run.stdout).toContain('loopback') },
  { line: /^chaos lab down( --all)?$/, lab: 'up', check: () => expect(place.labFolders()).toEqual([]) },
  { line: /^chaos lab ssh \S+ -- (?:cat|tc) /, lab: 'up', check: (run) => expect(run.stdout).not.toBe('') },
  { line: /^chaos lab ssh \S+$/, lab: 'up', input: 'exit 9\n', exit: 9 },
];

async function withLastRun(words: readonly string[]): Promise<readonly string[]> {
  if (place.runFolders().length === 0) expect((await place.chaos(['run', 'checkout-kill'])).exitCode).toBe(0);
  const folder = place.runFolders().at(-1) ?? '';
  return words.map((word) => (word === 'k3f9qz' ? folder.slice(-6) : word.startsWith('reports/') ? `reports/${folder}` : word));
}

async function withPlanHash(words: readonly string[]): Promise<readonly string[]> {
  const plan = await place.chaos(['plan', words[1] ?? '', '--env', 'staging', '--json']);
  const { hash } = JSON.parse(plan.stdout) as { hash: string };
  return words.map((word) => (word === '3f9a12cd' ? hash.slice(0, 8) : word));
}

function expectOnlyEvents({ stdout }: Finished): void {
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; version?: number });
  expect(events[0]).toEqual({ version: 1, type: 'stream.started' });
  expect(events.at(-1)).toMatchObject({ type: 'run.finished', exitCode: 0 });
}

/** One lab, known to the project as `staging` too: a real place with the tier of one that matters. */
async function bringLab(state: Rule['lab']): Promise<void> {
  if (state === 'any') return;
  if (place.labFolders().length > 0 && state === 'none') await place.labDown();
  if (place.labFolders().length > 0 || state === 'none') return;
  const { environmentFile } = await place.labUp();
  const text = readFileSync(environmentFile, 'utf8')
    .replace(/^name: lab$/m, 'name: staging')
    .replace(/^tier: lab$/m, 'tier: staging');
  const folder = dirname(environmentFile);
  const staging = text.replaceAll('${file:keys/', `\${file:${folder}/keys/`).replace('keys/id_ed25519', `${folder}/keys/id_ed25519`);
  place.write('experiments/environments/staging.yaml', staging.replace('knownHosts: known_hosts', `knownHosts: ${folder}/known_hosts`));
}

async function exercise(line: string): Promise<void> {
  const rule = rules.find((candidate) => candidate.line.test(line));
  if (rule === undefined) throw new Error(`no rule runs "${line}"`);
  await bringLab(rule.lab);
  const words = line.split(/\s+/).slice(1);
  const cwd = rule.cwd === undefined ? place.project : newProject(rule.cwd);
  const run = await place.chaos((await rule.with?.(words)) ?? words, { cwd, ...(rule.input === undefined ? {} : { input: rule.input }) });
  expect(run.exitCode, `${line}\n${run.stderr}`).toBe(rule.exit ?? 0);
  await rule.check?.(run);
}

function newProject(name: string): string {
  place.write(`../${name}/.keep`, '');
  return join(place.dir, name);
}

describe('what the documents say', () => {
  test('every documented command line does what it is documented to do', { timeout: 400_000 }, async () => {
    const documented = await documentedLines(helps);
    expect(documented.filter(({ line }) => !rules.some((rule) => rule.line.test(line)))).toEqual([]);
    expect(rules.filter((rule) => !documented.some(({ line }) => rule.line.test(line))).map((rule) => rule.line.source)).toEqual([]);
    // With a lab first, so that few are started; what ends one comes behind.
    const order = (line: string): number => {
      const lab = rules.find((rule) => rule.line.test(line))?.lab;
      return lab === 'none' ? 2 : /lab down/.test(line) ? 1 : 0;
    };
    const failed: string[] = [];
    for (const { line, source } of documented.toSorted((a, b) => order(a.line) - order(b.line))) {
      const started = performance.now();
      await exercise(line).catch((error: unknown) => failed.push(`${source}: ${String(error)}`));
      process.stdout.write(`${((performance.now() - started) / 1_000).toFixed(1).padStart(5)} s  ${line}\n`);
    }

    expect(failed).toEqual([]);
  });

  test('the help of every command has an example', () => {
    expect(helps.map(({ words }) => words.join(' '))).toEqual(
      expect.arrayContaining(['', 'run', 'plan', 'recover', 'lab', 'lab up', 'lab ssh']),
    );
    for (const { words, text } of helps) expect(exampleLines(text), `chaos ${words.join(' ')} --help`).not.toEqual([]);
  });

  test('--version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string };

    expect((await runChaos(['--version'])).stdout).toBe(`${version}\n`);
  });
});

describe('what goes to the terminal', () => {
  test('NO_COLOR beats FORCE_COLOR, and nothing is coloured in a pipe', async () => {
    const plan = (env: Record<string, string>): Promise<Finished> => place.chaos(['plan', 'checkout-kill'], { env });
    await bringLab('up');
    const [piped, forced, both] = [await plan({}), await plan({ FORCE_COLOR: '1' }), await plan({ FORCE_COLOR: '1', NO_COLOR: '1' })];

    expect(piped.stdout).not.toContain('\u001b[');
    expect(forced.stdout).toContain('\u001b[');
    expect(both.stdout).not.toContain('\u001b[');
  });

  test('a reader that goes away early does not crash it', async () => {
    await bringLab('up');
    const line = `set -o pipefail; '${process.execPath}' '${chaosBin}' plan db-failover | head -1`;

    const { stdout, stderr } = await promisify(execFile)('bash', ['-c', line], {
      cwd: place.project,
      env: { ...process.env, TMPDIR: place.tmp },
    });

    expect(stdout).toMatch(/^db-failover/);
    expect(stderr).not.toMatch(/EPIPE|\n\s+at /);
  });
});
