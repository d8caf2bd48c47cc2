/** The command lines that the documents promise: fenced `sh` blocks of README and runbooks, and the examples in every `--help`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository, runChaos } from './cli.ts';

export interface DocumentedLine {
  /** As it stands there, without the comment behind it. */
  readonly line: string;
  /** Where it was found first. */
  readonly source: string;
}

export async function documentedLines(helps: readonly HelpText[]): Promise<DocumentedLine[]> {
  const runbooks = readdirSync(join(repository, 'runbooks')).filter((name) => name.endsWith('.md'));
  const files = ['README.md', ...runbooks.map((name) => join('runbooks', name))];
  const found = [
    ...files.flatMap((file) => fencedLines(readFileSync(join(repository, file), 'utf8')).map((line) => ({ line, source: file }))),
    ...helps.flatMap(({ words, text }) => exampleLines(text).map((line) => ({ line, source: `chaos ${[...words, '--help'].join(' ')}` }))),
  ];
  return found.filter(({ line }, index) => found.findIndex((other) => other.line === line) === index);
}

function fencedLines(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? '');
  return blocks
    .flatMap((block) => block.split('\n').map((line) => line.replace(/\s+#.*$/, '').trim()))
    .filter((line) => /^chaos\b/.test(line));
}

/** Behind two spaces and more stands what the example is for. */
export function exampleLines(help: string): string[] {
  const [, examples = ''] = help.split(/^Examples:$/m);
  return examples.split('\n').flatMap((line) => /^ {2}(chaos .*?)(?: {2,}.*)?$/.exec(line)?.[1] ?? []);
}

export interface HelpText {
  readonly words: readonly string[];
  readonly text: string;
}

/** The help of the program and of every command it names, down to the last one. */
export async function allHelp(words: readonly string[] = []): Promise<HelpText[]> {
  const { stdout, exitCode, stderr } = await runChaos([...words, '--help']);
  if (exitCode !== 0) throw new Error(`chaos ${words.join(' ')} --help: exit code ${exitCode}\n${stderr}`);
  const [, commands = ''] = stdout.split(/^Commands:$/m);
  const [block = ''] = commands.split(/\n\n/);
  const names = [...block.matchAll(/^ {2}([a-z-]+)/gm)].map((match) => match[1] ?? '').filter((name) => name !== 'help');
  const below: HelpText[] = [];
  for (const name of names) below.push(...(await allHelp([...words, name])));
  return [{ words, text: stdout }, ...below];
}
