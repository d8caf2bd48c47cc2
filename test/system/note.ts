import { appendFileSync } from 'node:fs';
import { inject } from 'vitest';
import type { Result, Scenario } from './scenarios.ts';

/** For the table that is printed when the tests of all files are over. */
export function note(fault: string, scenario: Scenario, words: string): void {
  appendFileSync(inject('results'), `${JSON.stringify({ fault, scenario, words } satisfies Result)}\n`);
}
