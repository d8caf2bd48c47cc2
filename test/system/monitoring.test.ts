/** The probes `prometheus` and `alertmanager` against the real programs: a gauge that rises, an alert that fires, a silence, a server that dies. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { alertmanagerProbe } from '../../src/probes/alertmanager/index.ts';
import type { ProbeDefinition } from '../../src/probes/contract.ts';
import { prometheusProbe } from '../../src/probes/prometheus/index.ts';
import { type ProbeRun, runProbe } from '../support/probe-run.ts';
import { httpTarget, type Target } from '../support/probe-target.ts';
import { account, authority, Monitoring, monitoringMissing, type Running } from './monitoring-programs.ts';

if (monitoringMissing !== undefined) console.warn(`skipped: ${monitoringMissing}`);

const fast = { rate: '20/s', timeout: '2s' };

describe.skipIf(monitoringMissing !== undefined)('monitoring', () => {
  const monitoring = new Monitoring();
  const shop = { queue: 3, answers: true };
  const targets: Target[] = [];
  let prometheus: Running;
  let alertmanager: Running;

  beforeAll(async () => {
    for (const count of [1, 2]) targets.push(await metrics(() => (shop.answers || count === 2 ? text(shop.queue * count) : undefined)));
    alertmanager = await monitoring.alertmanager();
    prometheus = await monitoring.prometheus({ targets: targets.map(({ port }) => port), alertmanager: alertmanager.port });
  });
  afterAll(async () => {
    await monitoring[Symbol.asyncDispose]();
    for (const target of targets) await target[Symbol.asyncDispose]();
  });

  const query = (spec: Record<string, unknown>): ProbeRun => start(prometheusProbe, { url: prometheus.url, ...spec });
  const alert = (spec: Record<string, unknown>): ProbeRun =>
    start(alertmanagerProbe, { url: alertmanager.url, alert: 'QueueTooLong', matchers: ['severity="page"'], ...spec });
  const first = (): string => `shop_queue{instance="127.0.0.1:${targets[0]?.port}"}`;

  test('a value follows what is scraped, each rule for several series as it says', async () => {
    shop.queue = 3;
    const sum = query({ query: 'shop_queue', series: 'sum' });
    const max = query({ query: 'shop_queue', series: 'max' });
    const above = query({ query: 'shop_queue', series: { 'any-above': 5 } });
    const one = query({ query: 'shop_queue' });
    const scalar = query({ query: 'scalar(count(shop_queue)) * 1.5' });
    const wrong = query({ query: 'shop_queue{' });
    const infinite = query({ query: '1 / 0' });
    const range = query({ query: 'shop_queue[1m]' });

    await reads(sum, 9);
    await reads(max, 6);
    await reads(above, 1);
    await reads(scalar, 3);
    await says(one, 'several series');
    await says(wrong, 'query bad_data');
    await says(infinite, 'not a number');
    await says(range, 'a range, not a value');
    shop.queue = 1;
    await reads(sum, 3);
    await reads(above, 0);
    await stop(sum, max, above, one, scalar, wrong, infinite, range);
  });

  test('a target that is gone is an empty result, and numbers that are too old are stale', async () => {
    const gone = query({ query: first() });
    const old = query({ query: 'shop_orders', series: 'max', maxAge: '10s' });
    const lenient = query({ query: 'shop_orders', series: 'max', maxAge: '2m' });
    const fresh = query({ query: 'shop_queue', series: 'max', maxAge: '10s' });
    await vi.waitFor(() => expect(gone.samples.at(-1)?.ok).toBe(true));

    await says(old, 'stale');
    await reads(lenient, 7);
    await vi.waitFor(() => expect(fresh.samples.at(-1)?.ok).toBe(true));
    shop.answers = false;
    await says(gone, 'empty result');
    shop.answers = true;
    await vi.waitFor(() => expect(gone.samples.at(-1)?.ok).toBe(true));
    await stop(gone, old, lenient, fresh);
  });

  test('an alert is 1 while it fires, 0 while it is silenced unless muted ones count, and 0 again when it is resolved', async () => {
    shop.queue = 1;
    const loud = alert({});
    const all = alert({ muted: true });
    const other = alert({ matchers: ['severity="ticket"'] });
    await reads(loud, 0);

    shop.queue = 9;
    await reads(loud, 1);
    await reads(all, 1);
    const silence = await silenceAlert(alertmanager.url);
    await reads(loud, 0);
    expect(all.samples.at(-1)?.value).toBe(1);
    await fetch(`${alertmanager.url}/api/v2/silence/${silence}`, { method: 'DELETE' });
    await reads(loud, 1);
    shop.queue = 1;
    await reads(loud, 0);
    await reads(all, 0);
    expect(new Set(other.samples.map(({ value }) => value))).toEqual(new Set([0]));
    await stop(loud, all, other);
  });

  test('a server that dies is refused connections, and measured well again once it is back', async () => {
    const run = query({ query: 'vector(1)' });
    await reads(run, 1);

    await prometheus.stop();
    await says(run, 'ECONNREFUSED');
    await prometheus.start();
    await reads(run, 1);
    await stop(run);
  });

  test('a server behind TLS and an account is asked with both', async () => {
    const secure = await monitoring.prometheus({ targets: [], secure: true });
    const base = { url: secure.url, query: 'vector(42)', tls: { ca: authority.ca } };
    const known = query({ ...base, basic: account });
    const wrong = query({ ...base, basic: { ...account, password: 'another' } });
    const nobody = query(base);
    const stranger = query({ ...base, tls: undefined, basic: account });

    await reads(known, 42);
    await says(wrong, 'status 401');
    await says(nobody, 'status 401');
    await says(stranger, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    await stop(known, wrong, nobody, stranger);
  });
});

function metrics(say: () => string | undefined): Promise<Target> {
  return httpTarget((_request, response) => {
    const body = say();
    if (body === undefined) response.destroy();
    else response.setHeader('content-type', 'text/plain; version=0.0.4').end(body);
  });
}

/** Orders were counted a minute ago and not since. */
function text(queue: number): string {
  return `shop_queue ${queue}\nshop_orders 7 ${Date.now() - 60_000}\n`;
}

async function silenceAlert(url: string): Promise<string> {
  const matchers = [{ name: 'alertname', value: 'QueueTooLong', isRegex: false, isEqual: true }];
  const times = { startsAt: new Date().toISOString(), endsAt: new Date(Date.now() + 600_000).toISOString() };
  const response = await fetch(`${url}/api/v2/silences`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ matchers, ...times, createdBy: 'test', comment: 'test' }),
  });
  return ((await response.json()) as { silenceID: string }).silenceID;
}

function start(definition: ProbeDefinition, spec: Record<string, unknown>): ProbeRun {
  return runProbe(definition, { ...fast, ...spec });
}

async function stop(...runs: readonly ProbeRun[]): Promise<void> {
  await Promise.all(runs.map((run) => run.probe.stop()));
}

async function reads(run: ProbeRun, value: number): Promise<void> {
  await vi.waitFor(() => expect(run.samples.at(-1)).toMatchObject({ ok: true, value }), { timeout: 15_000, interval: 50 });
}

async function says(run: ProbeRun, error: string): Promise<void> {
  await vi.waitFor(() => expect(run.samples.at(-1)).toMatchObject({ ok: false, error }), { timeout: 15_000, interval: 50 });
}
