import { homedir, hostname, userInfo } from 'node:os';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { expandFile } from '../../../src/environment/ssh-tokens.ts';

const tokens = { name: 'web', address: '10.0.0.7', port: 2207, user: 'ops', keyName: 'web-key' };
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('names of key files in an SSH configuration', () => {
  test.each([
    ['~/.ssh/%r@%h-%n', `${homedir()}/.ssh/ops@10.0.0.7-web`],
    ['%d/keys/%k.%p', `${homedir()}/keys/web-key.2207`],
    ['/keys/%u-%i-%L', `/keys/${userInfo().username}-${userInfo().uid}-${hostname().split('.')[0]}`],
    ['/keys/%l/100%%', `/keys/${hostname()}/100%`],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in the file
    ['${CHAOS_TEST_KEYS}/id', '/somewhere/id'],
  ])('%s is expanded as ssh does it', (written, expected) => {
    vi.stubEnv('CHAOS_TEST_KEYS', '/somewhere');

    expect(expandFile(written, tokens)).toBe(expected);
  });

  test.each([
    ['/keys/%T', '%T stands for nothing that is known'],
    ['/keys/100%', '% stands for nothing that is known'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as it stands in the file
    ['${CHAOS_TEST_UNSET}/id', '${CHAOS_TEST_UNSET} is not set here'],
  ])('%s is refused with what is wrong in it', (written, why) => {
    expect(() => expandFile(written, tokens)).toThrow(
      expect.objectContaining({ code: 'CHAOS_REFUSED', message: expect.stringContaining(why) }),
    );
  });
});
