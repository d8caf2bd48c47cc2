/** Prints one table of what the tests of all files noted, fault by fault, when the last of them is over. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type Result, scenarios } from './scenarios.ts';

export function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-results-'));
  const file = join(folder, 'results');
  project.provide('results', file);
  return () => {
    if (existsSync(file)) process.stdout.write(`\n${table(readFileSync(file, 'utf8'))}\n`);
    rmSync(folder, { recursive: true });
  };
}

/** Markdown. Of a test that was tried twice the last word counts. */
function table(text: string): string {
  const results = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Result);
  const faults = [...new Set(results.map(({ fault }) => fault))].sort();
  const cell = (fault: string, scenario: string): string =>
    results.findLast((result) => result.fault === fault && result.scenario === scenario)?.words ?? '';
  const rows = [
    ['fault', ...scenarios],
    ['---', ...scenarios.map(() => '---')],
    ...faults.map((fault) => [fault, ...scenarios.map((scenario) => cell(fault, scenario))]),
  ];
  return rows.map((row) => `| ${row.join(' | ')} |\n`).join('');
}
