/**
 * The names that the operator's SSH configuration has for hosts. Only names are taken from it: how each is reached is asked from `ssh -G`
 * later, so Match, tokens and defaults mean what they mean there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { absolutePath } from '../references.ts';
import { InventoryError, type InventoryHost } from './contract.ts';

const deepest = 16;

/** Names that `Host` lines spell out (no wildcard in them) and that match one of `patterns`, in the order of the files. */
export function sshHosts(patterns: readonly string[], config: string | undefined): InventoryHost[] {
  const files = config === undefined ? [path.join(homedir(), '.ssh/config'), '/etc/ssh/ssh_config'] : [config];
  if (config !== undefined && !existsSync(config)) throw new InventoryError(`${config} is not there`);
  const names = [...new Set(files.flatMap((file) => namesIn(file, 0)))];
  const wanted = patterns.map(matcher);
  const found = names.filter((name) => wanted.some((matches) => matches.test(name)));
  if (found.length > 0) return found.map((name) => ({ name, groups: [] }));
  throw new InventoryError(
    `no Host of ${files.join(' or ')} matches ${patterns.join(', ')}\nnames are taken from Host lines that spell them out; there are: ${names.slice(0, 10).join(', ') || 'none'}`,
  );
}

function namesIn(file: string, depth: number): string[] {
  if (depth > deepest || !existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split(/\r?\n/)
    .flatMap((line) => {
      const [keyword = '', ...words] = split(line);
      if (keyword.toLowerCase() === 'host') return words.filter((word) => !/[*?!]/.test(word));
      if (keyword.toLowerCase() === 'include')
        return words.flatMap((word) => included(word, file)).flatMap((one) => namesIn(one, depth + 1));
      return [];
    });
}

/** `Host a "b c"`, `Host=a`: words between blanks, or in double quotes. */
function split(line: string): string[] {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return [];
  const [, keyword = '', rest = ''] = /^([^\s=]+)\s*=?\s*(.*)$/.exec(text) ?? [];
  return [keyword, ...[...rest.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')];
}

/** Relative names are below ~/.ssh, or below /etc/ssh in the system's file. A wildcard may stand in the last part. */
function included(word: string, from: string): string[] {
  const base = from.startsWith('/etc/ssh/') ? '/etc/ssh' : path.join(homedir(), '.ssh');
  const file = absolutePath(word, base);
  const [folder, last] = [path.dirname(file), path.basename(file)];
  if (!/[*?]/.test(last)) return [file];
  const matches = matcher(last);
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => matches.test(name))
        .toSorted()
        .map((name) => path.join(folder, name))
    : [];
}

/** `*` and `?` as in ssh_config(5). */
function matcher(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
}
