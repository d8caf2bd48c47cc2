import { existsSync, readFileSync } from 'node:fs';
import { expect, it, type TestContext } from 'vitest';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import { errorCodes } from '../../../src/core/error-codes.ts';

const readme = new URL('../../../README.md', import.meta.url);

/** First two cells of each row of the table under `heading`, without code marks; skips the test while there is none. */
function table(heading: string, context: TestContext): [string, string][] {
  const text = existsSync(readme) ? readFileSync(readme, 'utf8') : '';
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`));
  if (section === undefined) return context.skip(`README.md has no heading "## ${heading}" yet`);
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((line) => {
    const [code = '', meaning = ''] = line
      .split(/(?<!\\)\|/)
      .slice(1)
      .map((cell) => cell.trim());
    return [code.replaceAll('`', ''), meaning];
  });
}

it('the README lists exactly the error codes that exist, with their meaning', (context) => {
  expect(table('Error codes', context)).toEqual(Object.entries(errorCodes));
});

it('the README lists exactly the exit codes that exist, with their meaning', (context) => {
  expect(table('Exit codes', context)).toEqual(Object.entries(exitCodes));
});

it('codes are spelled alike and their meanings are sentences', () => {
  for (const [code, meaning] of Object.entries(errorCodes)) {
    expect(code).toMatch(/^CHAOS_[A-Z]+(?:_[A-Z]+)*$/);
    expect(meaning).toMatch(/^[A-Z].*\.$/);
  }
});
