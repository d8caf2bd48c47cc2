import { describe, expect, it } from 'vitest';
import { parseEndpoint } from '../../../src/probes/endpoint.ts';

describe('parseEndpoint', () => {
  it.each([
    ['db-a:5432', { host: 'db-a', port: 5432 }],
    ['10.0.0.7:1', { host: '10.0.0.7', port: 1 }],
    ['[fd00::7]:65535', { host: 'fd00::7', port: 65_535 }],
  ])('reads %j', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
  });

  it.each([
    'db-a',
    'db-a:',
    ':53',
    'db-a:0',
    'db-a:65536',
    'fd00::7:53',
    '[fd00]:53',
    '[10.0.0.7]:53',
    'tcp://db-a:1',
    'me@db-a:1',
    'a b:1',
  ])('refuses %j', (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });
});
