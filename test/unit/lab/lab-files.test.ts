import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseEnvironment } from '../../../src/environment/load.ts';
import { environmentShape, renderEnvironment } from '../../../src/lab/lab-files.ts';
import type { LabRecord } from '../../../src/lab/record.ts';
import { probeRegistry } from '../../../src/probes/registry.ts';

const record: LabRecord = {
  version: 1,
  id: 'abc123',
  state: 'up',
  startedAt: '2026-01-01T00:00:00.000Z',
  starter: { pid: 1, start: '1' },
  replication: 'sync',
  postgres: { binDir: '/opt/my "postgres"/bin', version: '18.4' },
  basePort: 21_000,
};

test('writes what the environment language understands', () => {
  const parsed = parseEnvironment(environmentShape(), 'lab.yaml', probeRegistry);

  expect(parsed).toMatchObject({ ok: true });
});

test('keeps paths with blanks and quotes whole, for YAML and for the shell', () => {
  const text = renderEnvironment({ dir: "/tmp/it's here/lab", record });

  const { nodes } = (parse(text) as { databases: { orders: { nodes: Record<string, Record<string, unknown>> } } }).databases.orders;
  expect(nodes['db-b']).toEqual({
    address: '127.0.0.1',
    port: 21_009,
    dataDir: "/tmp/it's here/lab/hosts/db-b/data",
    binDir: '/opt/my "postgres"/bin',
    start: `'/opt/my "postgres"/bin/pg_ctl' -D '/tmp/it'\\''s here/lab/hosts/db-b/data' -o '-p 21009 -c cluster_name=db-b' -l '/tmp/it'\\''s here/lab/hosts/db-b/postgres.log' -w -t 30 start`,
    stop: `'/opt/my "postgres"/bin/pg_ctl' -D '/tmp/it'\\''s here/lab/hosts/db-b/data' -m fast -w -t 30 stop`,
  });
});

test('protects the load balancer and keeps secrets out', () => {
  const environment = parse(renderEnvironment({ dir: '/tmp/lab', record })) as {
    hosts: Record<string, { protected?: boolean }>;
    databases: { orders: { admin: { password: string } } };
  };

  expect(environment.hosts.lb?.protected).toBe(true);
  expect(environment.databases.orders.admin.password).toMatch(/^\$\{file:keys\/admin-password\}$/);
});
