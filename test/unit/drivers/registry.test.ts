import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { driverFor, driverKinds, sqlConnectorFor } from '../../../src/drivers/registry.ts';

const folder = join(import.meta.dirname, '../../../src/drivers');

test('every folder of drivers is registered', () => {
  const folders = readdirSync(folder).filter((name) => name !== 'sql' && statSync(join(folder, name)).isDirectory());

  expect([...driverKinds].sort()).toEqual(folders.sort());
});

test('a driver says the kind it is registered under', async () => {
  for (const kind of driverKinds) expect((await driverFor(kind)).kind).toBe(kind);
});

test('there is a connector for PostgreSQL', async () => {
  expect(await sqlConnectorFor('postgresql')).toHaveProperty('connect');
});
