import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import { errorCodes } from '../../../src/core/error-codes.ts';

const readme = new URL('../../../README.md', import.meta.url);

/** First two cells of each row of the table under `heading`, without code marks. */
function table(heading: string): [string, string][] {
  const section = readFileSync(readme, 'utf8')
    .split(/^## /m)
    .find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`README.md has no heading "## ${heading}"`);
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((line) => {
    const [code = '', meaning = ''] = line
      .split(/(?<!\\)\|/)
      .slice(1)
      .map((cell) => cell.trim());
    return [code.replaceAll('`', ''), meaning];
  });
}

it('the README lists exactly the error codes that exist, with their meaning', () => {
  expect(table('Error codes')).toEqual(Object.entries(errorCodes));
});

it('the README lists exactly the exit codes that exist, with their meaning', () => {
  expect(table('Exit codes')).toEqual(Object.entries(exitCodes));
});

it('codes are spelled alike and their meanings are sentences', () => {
  for (const [code, meaning] of Object.entries(errorCodes)) {
    expect(code).toMatch(/^CHAOS_[A-Z]+(?:_[A-Z]+)*$/);
    expect(meaning).toMatch(/^[A-Z].*\.$/);
  }
});
