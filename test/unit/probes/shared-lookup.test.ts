import { describe, expect, it } from 'vitest';
import { sharedLookup } from '../../../src/probes/shared-lookup.ts';

describe('sharedLookup', () => {
  it('answers all who ask for a name while its lookup is under way, in the form each one asked for', async () => {
    const lookup = sharedLookup();
    const ask = (all: boolean): Promise<unknown> =>
      new Promise((resolve) => lookup('localhost', { all, family: 4 }, (error, address) => resolve(error ?? address)));

    const answers = await Promise.all([ask(false), ask(false), ask(true)]);

    expect(answers).toEqual(['127.0.0.1', '127.0.0.1', [{ address: '127.0.0.1', family: 4 }]]);
  });

  it('hands on errors', async () => {
    const error = await new Promise((resolve) => sharedLookup()('no-such-host.invalid', {}, resolve));

    expect(error).toMatchObject({ code: expect.stringMatching(/^E/) });
  });
});
