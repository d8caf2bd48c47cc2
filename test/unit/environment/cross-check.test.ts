import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { crossCheck } from '../../../src/environment/cross-check.ts';
import { loadEnvironment } from '../../../src/environment/load.ts';
import { resolveEnvironment } from '../../../src/environment/resolve.ts';
import { experimentSchema } from '../../../src/experiment/schema.ts';
import { parseSourced } from '../../../src/experiment/yaml.ts';
import { fakeFaults, fakeProbes } from '../experiment/fakes.ts';

const folder = fileURLToPath(new URL('../../fixtures/files/', import.meta.url));
const good = readFileSync(path.join(folder, 'experiment.yaml'), 'utf8')
  .replace('[errors]', '[checkout-errors]')
  .replace('{ group: web,', '{ group: checkout,');

function said(from = '', to = ''): string[] {
  const environment = loadEnvironment(path.join(folder, 'environment.yaml'), fakeProbes);
  if (!environment.ok) throw new Error('the fixture must be valid');
  const model = resolveEnvironment(environment.value);
  const parsed = parseSourced(good.replace(from, to), 'e.yaml', experimentSchema(fakeFaults), { raw: (data) => crossCheck(data, model) });
  return parsed.ok ? [] : parsed.diagnostics.map((one) => `${one.line}:${one.column} ${one.code}: ${one.summary}; ${one.detail}`);
}

test('an experiment that fits its environment has no mistakes', () => {
  expect(said()).toEqual([]);
  expect(said('{ group: checkout, count: 1 }', '{ role: db-primary }')).toEqual([]);
});

test.each([
  [
    '[checkout-errors]',
    '[checkout-error]',
    '8:10 unknown-slo: environment lab has no SLO "checkout-error"; did you mean "checkout-errors"?',
  ],
  ['group: checkout,', 'group: chekout,', '11:18 selection-unknown-name: no group "chekout"; did you mean "checkout"?'],
  ['count: 1', 'count: 3', '11:35 selection-too-few: 3 hosts asked for, but only 2 match; undefined'],
  ['count: 1', 'percent: 10%', '11:37 selection-rounds-to-zero: 10% of 2 hosts rounds down to none; use count: 1, or at least 50%'],
  [
    '{ group: checkout, count: 1 }',
    '{ role: db-primry }',
    '11:17 selection-unknown-name: no host holds the role "db-primry"; did you mean "db-primary"?',
  ],
])('%s -> %s is told at its place', (from, to, expected) => {
  expect(said(from, to)).toEqual([expected]);
});

test('unknown names are told together with mistakes of shape', () => {
  const found = said('{ group: checkout, count: 1 }', '{ host: checkout-9 }\n    durration: 5s');

  expect(found).toContainEqual(expect.stringContaining('no host "checkout-9"'));
  expect(found).toContainEqual(expect.stringContaining('durration'));
});
