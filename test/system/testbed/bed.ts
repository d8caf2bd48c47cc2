/** The test hosts of one test file: started before its first test, gone after its last. */
import { afterAll, beforeAll } from 'vitest';
import { Testbed, unavailable } from './testbed.ts';

/** Set while the tests of the file run. */
export let bed: Testbed;

/** @returns why there can be no test hosts here, for `skipIf`; it is printed as well. */
export function useBed(hosts: { readonly uml: number; readonly ns: number }): string | undefined {
  if (unavailable !== undefined) {
    console.warn(`skipped: ${unavailable}`);
    return unavailable;
  }
  beforeAll(async () => {
    bed = await Testbed.start(hosts);
  }, 600_000);
  afterAll(async () => {
    await bed?.[Symbol.asyncDispose]();
  }, 60_000);
  return undefined;
}
