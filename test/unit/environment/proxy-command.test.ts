import { expect, test } from 'vitest';
import { expandProxyCommand } from '../../../src/environment/proxy-command.ts';

const tokens = { name: 'web-1', address: '10.0.0.1', port: 2222, user: 'deploy' };

test('its tokens are expanded once, and only they', () => {
  expect(expandProxyCommand('relay -l %r "%h" %p --for=%n', tokens)).toBe('relay -l deploy "10.0.0.1" 2222 --for=web-1');
  expect(expandProxyCommand('a %%h 100%%', { ...tokens, address: 'never' })).toBe('a %h 100%');
  expect(expandProxyCommand('nc %h', { ...tokens, address: '2001:db8::1' })).toBe('nc 2001:db8::1');
  expect(expandProxyCommand('cost $5 $& $1', tokens)).toBe('cost $5 $& $1');
});

test.each(['%k', '%C', '%d', '%', '% '])('another token is refused and named: %j', (token) => {
  expect(() => expandProxyCommand(`relay ${token}`, tokens)).toThrow(`in which ${token} stands for nothing`);
});

test.each(['a;reboot', '$(id)', '-oProxy=x', 'a b', 'a`b', '', 'a\nb'])('no value becomes more than a word of the command: %j', (value) => {
  expect(() => expandProxyCommand('relay %h', { ...tokens, address: value })).toThrow('is not a plain word');
  expect(() => expandProxyCommand('relay %r', { ...tokens, user: value })).toThrow('is not a plain word');
  expect(expandProxyCommand('relay', { ...tokens, user: value })).toBe('relay');
});
